"""A robot loses its connection and comes back: nothing is said twice, and nothing is missed."""

import asyncio

import pytest

from agents.planner.backends.scripted import Script, ScriptedPlanner
from hub.session.link import LinkProfile
from protocols.messages import robot as wire
from protocols.messages.session import EchoCanceller
from protocols.messages.turn import Outcome
from tests.conversations.stage import Robot, stage
from tests.conversations.test_conversations import STORY, in_the_story, telling
from tests.virtual_time import clock_ns, until, virtual

STORY_MS = len(STORY.split()) * 200


@pytest.mark.parametrize(
    ("away_s", "noticed"),
    [(s, True) for s in (0.0, 0.05, 0.25, 5.0, 29.0)] + [(s, False) for s in (0.0, 0.25, 5.0)],
)
@virtual
async def test_speech_goes_on_at_the_first_sample_that_was_not_played(
    away_s: float, noticed: bool
) -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        robot.cut(noticed=noticed)
        await asyncio.sleep(away_s)
        before = robot.played_ms(1)
        await theatre.come_back(robot)
        back_ns = clock_ns()
        await until(lambda: robot.played_ms(1) > before)
        assert clock_ns() - back_ns < 1_000_000_000, "P13"
        end = await robot.next(wire.TurnEnd)
        assert (end.turn, end.outcome, end.heard_text) == (1, Outcome.DONE, STORY)
        assert robot.played_ms(1) == STORY_MS
        assert robot.speaker.counters == {}
        assert [(w.epoch, w.resumed) for w in robot.welcomes] == [(1, False), (2, True)]
        assert [e.robot for e in await theatre.store.load_history("r1")] == [STORY]


@virtual
async def test_a_robot_that_came_back_between_two_turns_is_spoken_to() -> None:
    async with stage(telling("Here I am.")) as theatre:
        robot = await theatre.connect(Robot("r1"))
        await robot.next(wire.Face)
        robot.cut()
        await asyncio.sleep(1)
        await theatre.come_back(robot)
        robot.speak("where are you")
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, end.heard_text) == (Outcome.DONE, "Here I am.")


@virtual
async def test_a_device_that_drops_its_buffer_gets_it_again() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        robot.cut()
        robot.speaker.drop(clock_ns())
        await asyncio.sleep(1)
        await theatre.come_back(robot)
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, robot.played_ms(1)) == (Outcome.DONE, STORY_MS)
        assert robot.speaker.counters == {}


@virtual
async def test_a_connection_that_is_lost_again_and_again_costs_no_sample() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        for pause in range(8):
            robot.cut(noticed=pause % 2 == 0)
            await asyncio.sleep(0.1 * pause)
            await theatre.come_back(robot)
            await asyncio.sleep(0.13 * pause)
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, end.heard_text) == (Outcome.DONE, STORY)
        assert robot.played_ms(1) == STORY_MS
        assert robot.speaker.counters == {}


@virtual
async def test_a_robot_that_stays_away_ends_its_turn_with_what_it_had_played() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        robot.cut()
        await asyncio.sleep(29.9)
        assert theatre.ended() == []
        await asyncio.sleep(0.2)
        [ended] = theatre.ended()
        assert (ended.outcome, ended.code) == (Outcome.CANCELLED, "disconnected")
        assert ended.heard_text
        assert len(ended.heard_text.split()) * 200 <= robot.played_ms(1)
        await theatre.come_back(robot)
        assert (await robot.next(wire.Welcome, 2)).resumed is False
        robot.speak("are you there")
        assert (await robot.next(wire.TurnEnd)).turn == 2


@virtual
async def test_an_answer_that_comes_while_the_robot_is_away_is_spoken_when_it_is_back() -> None:
    slow = ScriptedPlanner([Script(('{"emotion": "happy", "text": "Here I am."}',), pause_s=1.0)])
    async with stage(slow) as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.speak("where are you")
        await robot.next(wire.TurnBegin)
        robot.cut()
        await asyncio.sleep(8)
        await theatre.come_back(robot)
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, end.heard_text) == (Outcome.DONE, "Here I am.")
        emotion = [m.emotion for m in robot.told(wire.Emotion)]
        assert emotion[0] == "happy"


@virtual
async def test_what_the_user_was_saying_when_the_connection_broke_is_dropped() -> None:
    async with stage(telling("I heard you.")) as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.speak("can you hear me", ms=1_000)
        await asyncio.sleep(0.5)
        robot.cut()
        await asyncio.sleep(2)
        await theatre.come_back(robot)
        await asyncio.sleep(2)
        assert robot.told(wire.TurnBegin) == []
        robot.speak("and now")
        assert (await robot.next(wire.TurnEnd)).heard_text == "I heard you."


@virtual
async def test_a_robot_that_was_held_when_the_connection_broke_goes_on() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        robot.speak("excuse me", ms=900)
        await robot.next(wire.Hold)
        robot.cut()
        await asyncio.sleep(1)
        await theatre.come_back(robot)
        end = await robot.next(wire.TurnEnd)
        assert (end.outcome, robot.played_ms(1)) == (Outcome.DONE, STORY_MS)


@virtual
async def test_a_second_device_without_the_token_takes_the_robot_of_one_that_is_away() -> None:
    async with stage(telling(STORY, "I am here.")) as theatre:
        old = await in_the_story(theatre)
        old.cut()
        new = await theatre.reconnect(old)
        await asyncio.sleep(0.01)
        [ended] = theatre.ended()
        assert (ended.outcome, ended.code) == (Outcome.CANCELLED, "takeover")
        new.speak("are you there")
        assert (await new.next(wire.TurnEnd)).turn == 2
        history = await theatre.store.load_history("r1")
        assert STORY.startswith(history[0].robot)


@pytest.mark.parametrize("code", [1000, 1001, 1005])
@virtual
async def test_a_robot_that_says_goodbye_is_not_waited_for(code: int) -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        robot.cut(code)
        await asyncio.sleep(0.01)
        assert [e.code for e in theatre.ended()] == ["disconnected"]


@virtual
async def test_what_a_robot_missed_comes_in_order_but_for_what_has_expired() -> None:
    act = '{"emotion": "sad", "text": "Watch this.", "actions": [{"action": "skill", "name": "patrol_drift"}]}'
    planner = ScriptedPlanner([Script((act,), pause_s=0.5)])
    async with stage(planner) as theatre:
        robot = await theatre.connect(Robot("r1"))
        robot.speak("do something")
        await robot.next(wire.TurnBegin)
        robot.cut()
        await asyncio.sleep(10)
        await theatre.come_back(robot)
        end = await robot.next(wire.TurnEnd)
        assert end.outcome is Outcome.DONE
        assert robot.told(wire.Action) == []
        counts = theatre.sessions.counters.read()
        assert counts["control_not_replayed.expired"] == 1
        assert counts["sessions_resumed"] == 1


@virtual
async def test_a_robot_that_missed_more_than_is_known_is_told_where_everything_stands() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre)
        robot.cut()
        robot.sequence.boot = 99
        told = len(robot.heard)
        await theatre.come_back(robot)
        end = await robot.next(wire.TurnEnd)
        again = [type(m) for m in robot.heard[told:]]
        assert again[:2] == [wire.Welcome, wire.TurnBegin]
        assert {wire.SpeechText, wire.Face, wire.Emotion} <= set(again)
        assert (end.outcome, robot.played_ms(1)) == (Outcome.DONE, STORY_MS)
        assert theatre.sessions.counters.read()["replay_out_of_reach"] == 1


@pytest.mark.parametrize("down_s", [0.1, 5.0])
@virtual
async def test_after_a_restart_of_the_hub_the_robot_says_what_was_not_heard(down_s: float) -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre, heard_ms=3_000)
        robot.cut(noticed=False)
        await theatre.restart_hub(down_s)
        await theatre.come_back(robot)
        cut = await robot.next(wire.TurnEnd)
        assert (cut.turn, cut.outcome, cut.code) == (1, Outcome.CANCELLED, "hub_restarted")
        assert len(cut.heard_text.split()) in (words := int(robot.played_ms(1)) // 200, words + 1)
        rest = await robot.next(wire.TurnEnd, 2)
        assert rest.turn > 1
        assert rest.outcome is Outcome.DONE
        assert f"{cut.heard_text} {rest.heard_text}" == STORY
        history = await theatre.store.load_history("r1")
        assert [e.robot for e in history] == [cut.heard_text, rest.heard_text]
        assert await theatre.store.open_turns() == ()
        assert [w.resumed for w in robot.welcomes] == [False, True]


@virtual
async def test_a_robot_that_is_back_too_late_after_a_restart_does_not_go_on() -> None:
    async with stage(telling(STORY, "I am here.")) as theatre:
        robot = await in_the_story(theatre, heard_ms=3_000)
        robot.cut(noticed=False)
        await theatre.restart_hub(1.0)
        await asyncio.sleep(10)
        assert [(e.code, e.outcome) for e in theatre.ended()] == [
            ("hub_restarted", Outcome.CANCELLED)
        ]
        await theatre.come_back(robot)
        await asyncio.sleep(3)
        assert robot.told(wire.TurnEnd) == []
        history = await theatre.store.load_history("r1")
        assert STORY.startswith(history[0].robot)
        assert 0 < len(history[0].robot.split()) * 200 <= robot.played_ms(1)
        robot.speak("are you there")
        assert (await robot.next(wire.TurnEnd)).heard_text == "I am here."


class Socket(Robot):
    """A client that has no token to come back with."""

    profile = LinkProfile(frame_ms=10, lead_ms=120, max_lead_ms=120, can_flush=False)


@virtual
async def test_a_client_without_a_token_is_not_waited_for_and_its_turn_ends_all_the_same() -> None:
    async with stage(telling(STORY, STORY)) as theatre:
        first = await theatre.connect(Socket("r1"))
        first.speak("tell me a story")
        await until(lambda: first.played_ms(1) >= 2_000)
        first.cut()
        await asyncio.sleep(0.01)
        assert [(e.outcome, e.code) for e in theatre.ended()] == [
            (Outcome.CANCELLED, "disconnected")
        ]
        second = await theatre.connect(Socket("r1"))
        second.speak("tell me a story")
        await until(lambda: second.played_ms(2) >= 2_000)
        second.cut(noticed=False)
        await theatre.restart_hub()
        await asyncio.sleep(11)
        assert [(e.outcome, e.code) for e in theatre.ended()[1:]] == [
            (Outcome.CANCELLED, "hub_restarted")
        ]
        assert len(await theatre.store.load_history("r1")) == 2


@virtual
async def test_a_stranger_after_a_restart_does_not_hear_what_was_left() -> None:
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre, heard_ms=3_000)
        robot.cut(noticed=False)
        await theatre.restart_hub()
        other = await theatre.connect(Robot("r1"))
        await asyncio.sleep(3)
        assert other.told(wire.TurnBegin) == []
        assert len(await theatre.store.load_history("r1")) == 1


@virtual
async def test_i10_from_cancel_to_silence_at_the_loudspeaker_takes_no_longer_than_the_wire() -> (
    None
):
    async with stage(telling(STORY)) as theatre:
        robot = await in_the_story(theatre, aec=EchoCanceller.NONE)
        robot.tell(wire.Cancel())
        asked = robot.played_ms(1)
        await robot.next(wire.Flush)
        silent = robot.played_ms(1)
        assert silent - asked <= 2 * 5 + 20, "one way there, one way back, one step of the device"
        await asyncio.sleep(1)
        assert robot.played_ms(1) == silent
