"""A robot's profile, its timers and what it says by itself, on the real hub."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agents.tts.backends.base import Lead, Marks, Sound, no_lead
from agents.tts.backends.scripted import ScriptedVoice
from agents.tts.prosody import Prosody
from protocols.messages.robot import TurnBegin, TurnEnd
from protocols.messages.turn import Outcome
from tests.integration.stack import PATIENCE_S, Remembering, Stack, running, spoken

HOURS = [datetime.now(UTC) + timedelta(hours=hours) for hours in (-6, 6)]
QUIET = 'time_zone = "UTC"\nquiet_hours = "{:%H:%M}-{:%H:%M}"\n'.format(*HOURS)


class Singer(ScriptedVoice):
    """A voice that notes by which of its voices it was to speak."""

    def __init__(self) -> None:
        super().__init__(word_ms=40)
        self.voices: list[str] = []

    def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Sound | Marks, None]:
        self.voices.append(voice)
        return super().speak(text, prosody, language, voice, lead)


def write(file: Path, text: str) -> None:
    """Put a profile in its place in one step, as editors do."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


async def profiles(hub: Stack, refused: list[str]) -> None:
    """Return once these robots' profiles are refused, and no others."""
    async with asyncio.timeout(PATIENCE_S), hub.http() as http:
        while True:
            document = (await http.get("/status")).json()
            if sorted(document["profiles_refused"]) == refused:
                return
            await asyncio.sleep(0.1)


async def counted(hub: Stack, name: str, times: int) -> None:
    """Return once ``name`` was counted so often."""
    async with asyncio.timeout(PATIENCE_S), hub.http() as http:
        while True:
            if (await http.get("/status")).json()["counters"].get(name, 0) >= times:
                return
            await asyncio.sleep(0.1)


async def test_an_edited_profile_acts_from_the_next_turn_on_and_a_bad_one_changes_nothing(
    tmp_path: Path,
) -> None:
    planner, voice = Remembering(), Singer()
    file = tmp_path / "robots" / "r1.toml"
    file.parent.mkdir()
    file.write_text('name = "Milo"\npersona = "You love the sea."\nvoice = "low"')
    async with running(tmp_path, planner=planner, voice=voice) as hub, hub.robot() as robot:
        robot.say(spoken("who are you"))
        await robot.next(TurnEnd)
        write(file, 'name = "Otto"\npersona = "You love the hills."\nvoice = "high"')
        await counted(hub, "profiles.read", 2)
        robot.say(spoken("who are you now"))
        await robot.next(TurnEnd, lambda end: end.turn == 2)
        write(file, 'nam = "Nobody"')
        await profiles(hub, ["r1"])
        robot.say(spoken("and who now"))
        end = await robot.next(TurnEnd, lambda end: end.turn == 3)
        write(file, 'name = "Otto"')
        await profiles(hub, [])

    assert end.outcome is Outcome.DONE
    assert [(turn.name, turn.persona) for turn in planner.asked] == [
        ("Milo", "You love the sea."),
        ("Otto", "You love the hills."),
        ("Otto", "You love the hills."),
    ]
    assert voice.voices == ["low", "high", "high"]


async def test_say_when_free_is_said_after_the_turn_under_way(hub: Stack) -> None:
    body = {"robot_id": "r1", "text": "Lunch is ready."}
    async with hub.robot() as robot, hub.http() as http:
        robot.say(spoken("please say this sentence back to me"))
        await robot.next(TurnBegin)
        busy = (await http.post("/say", json=body)).json()
        said = (await http.post("/say", json={**body, "when": "free"})).json()
        first = await robot.next(TurnEnd, lambda end: end.turn == 1)
        second = await robot.next(TurnEnd, lambda end: end.turn == 2)

    assert busy["outcome"] == "busy_with_user"
    assert said["outcome"] == "done"
    assert first.outcome is Outcome.DONE
    assert second.heard_text == "Lunch is ready."


async def test_a_timer_over_http_is_spoken_in_quiet_hours_and_an_announcement_is_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "robots").mkdir()
    (tmp_path / "robots" / "r1.toml").write_text(QUIET)
    async with running(tmp_path) as hub, hub.robot() as robot, hub.http() as http:
        said = await http.post("/say", json={"robot_id": "r1", "text": "Lunch is ready."})
        timer = {"kind": "timer", "in_s": 1, "text": "bake"}
        made = (await http.post("/robots/r1/reminders", json=timer)).json()
        end = await robot.next(TurnEnd)
        await counted(hub, "reminders.said", 1)
        listed = (await http.get("/robots/r1/reminders")).json()

    assert said.json()["outcome"] == "quiet_hours"
    assert end.heard_text == "Time is up! Your timer for one second is over. It was to bake."
    assert listed["reminders"] == []
    assert [(each["id"], each["fate"]) for each in listed["ended"]] == [(made["id"], "said")]


async def test_a_timer_outlives_its_hub(tmp_path: Path) -> None:
    async with running(tmp_path) as hub, hub.http() as http:
        made = await http.post("/robots/r1/reminders", json={"kind": "timer", "in_s": 2})
        assert made.status_code == 201
    async with running(tmp_path) as hub, hub.robot() as robot:
        end = await robot.next(TurnEnd)
    assert end.heard_text == "Time is up! Your timer for two seconds is over."
