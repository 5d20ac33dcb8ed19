"""Timers, reminders and announcements in whole conversations, in virtual time."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from agents.planner.backends.scripted import Script, ScriptedPlanner
from hub.reminders.wish import After
from hub.session.character import Character
from protocols.messages import robot as wire
from protocols.messages.turn import Outcome, TurnStart
from tests.conversations.stage import Robot, stage
from tests.conversations.test_conversations import in_the_story, telling
from tests.virtual_time import until, virtual

STORY = "Once upon a time there was a robot who lived in a house by the sea with a cat."


class Asked(ScriptedPlanner):
    """A planner that keeps what it was asked."""

    def __init__(self, *texts: str) -> None:
        super().__init__(Script((f'{{"emotion": "happy", "text": "{text}"}}',)) for text in texts)
        self.asked: list[TurnStart] = []

    def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        self.asked.append(turn)
        return super().answer(turn)


@virtual
async def test_a_timer_set_by_voice_goes_off_and_is_spoken() -> None:
    planner = Asked()
    async with stage(planner) as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.speak("set a timer for five minutes")
        first = await robot.next(wire.TurnEnd)
        assert (first.outcome, first.intent) == (Outcome.DONE, "timer")
        assert first.heard_text == "Your timer is running: five minutes."
        begun = asyncio.get_running_loop().time()
        await until(lambda: len(robot.told(wire.TurnEnd)) > 1, within_s=400)
        second = robot.told(wire.TurnEnd)[-1]
        assert second.heard_text == "Time is up! Your timer for five minutes is over."
        assert asyncio.get_running_loop().time() - begun == pytest.approx(300, abs=5)
        assert planner.asked == []
        await until(lambda: list(theatre.reminders.fates.values()) == ["said"])


@virtual
async def test_a_timer_that_is_stopped_before_it_is_confirmed_never_goes_off() -> None:
    async with stage() as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.speak("set a timer for five minutes")
        await robot.next(wire.TurnBegin)
        robot.tell(wire.Text(text="stop"))
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, end.heard_text) == (Outcome.CANCELLED, "")
        await until(lambda: list(theatre.reminders.fates.values()) == ["deleted"])
        assert theatre.reminding.of("r1") == []


@virtual
async def test_a_timer_that_goes_off_in_the_middle_of_a_story_waits_for_its_end() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await theatre.connect(Robot("r1"))
        await theatre.reminding.add("r1", After(3), "feed the cat")
        robot.speak("tell me a story")
        await until(lambda: len(robot.told(wire.TurnEnd)) == 2)
        story, reminder = robot.told(wire.TurnEnd)
        assert (story.outcome, story.heard_text) == (Outcome.DONE, STORY)
        assert reminder.heard_text == "I was to remind you: feed the cat."


@virtual
async def test_say_when_free_waits_for_the_end_of_the_turn() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        assert await theatre.sessions.say("r1", "Lunch is ready.") == "busy_with_user"
        said = await theatre.sessions.say("r1", "Lunch is ready.", when_free=True)
        assert said == Outcome.DONE
        await robot.next(wire.TurnEnd, 2)
        assert [end.heard_text for end in robot.told(wire.TurnEnd)] == [STORY, "Lunch is ready."]


@virtual
async def test_a_timer_survives_a_hub_that_is_killed() -> None:
    async with stage() as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.speak("set a timer for one minute")
        await robot.next(wire.TurnEnd)
        robot.cut(noticed=False)
        await theatre.restart_hub(down_s=20)
        await theatre.come_back(robot)
        await until(lambda: len(robot.told(wire.TurnEnd)) > 1, within_s=100)
        assert robot.told(wire.TurnEnd)[-1].heard_text.startswith("Time is up!")
        await asyncio.sleep(300)
        assert len(robot.told(wire.TurnEnd)) == 2


@virtual
async def test_a_reminder_is_said_in_quiet_hours_and_an_announcement_is_not() -> None:
    async with stage() as theatre:
        theatre.characters["r1"] = Character(quiet=True, volume=0.4)
        robot = await theatre.connect(Robot("r1"))
        assert await theatre.sessions.say("r1", "Lunch is ready.") == "quiet_hours"
        await theatre.reminding.add("r1", After(10), "take your pill")
        end = await robot.next(wire.TurnEnd)
        assert end.heard_text == "I was to remind you: take your pill."


@virtual
async def test_a_changed_character_acts_from_the_next_turn_on() -> None:
    planner = Asked(STORY, "I am Milo.")
    async with stage(planner) as theatre:
        robot = await in_the_story(theatre)
        theatre.characters["r1"] = Character(name="Milo", persona="You love the sea.")
        theatre.sessions.characterise()
        await robot.next(wire.TurnEnd)
        robot.speak("who are you")
        end = await robot.next(wire.TurnEnd, 2)
        assert end.outcome is Outcome.DONE
        assert [(turn.name, turn.persona) for turn in planner.asked] == [
            ("", ""),
            ("Milo", "You love the sea."),
        ]
