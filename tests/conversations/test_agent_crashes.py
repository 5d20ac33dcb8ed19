"""Any agent dies in any stage of a turn: the turn ends once, or goes on, and the next one works."""

import asyncio
from collections import Counter

import pytest

from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.stt.backends.base import Transcript
from agents.stt.backends.scripted import ScriptedRecogniser, ScriptedStream
from protocols.messages import robot as wire
from protocols.messages.turn import Outcome
from tests.conversations.stage import Robot, Stage, stage
from tests.virtual_time import until, virtual

ANSWER = "One two three four. Five six seven. Eight nine ten."
PIECES = (
    '{"emotion": "happy", "text": "One two three four. ',
    "Five six seven. ",
    'Eight nine ten."}',
)
TOTAL_MS = len(ANSWER.split()) * 200
AGENTS = ("ears", "stt", "planner", "reflex", "tts")
STAGES = (
    "listening",
    "endpointing",
    "transcript awaited",
    "planner asked",
    "first delta",
    "speaking",
    "finishing",
)


class SlowRecogniser(ScriptedRecogniser):
    """Takes half a second for every transcript."""

    def stream(self, language: str) -> ScriptedStream:
        return _SlowStream(language, iter(()))


class _SlowStream(ScriptedStream):
    async def finish(self) -> Transcript:
        await asyncio.sleep(0.5)
        return await super().finish()


async def reach(step: str, robot: Robot) -> None:
    """Say something, and wait until the turn is in ``step``."""
    robot.speak("count for me", ms=600)
    match step:
        case "listening":
            await asyncio.sleep(0.4)
        case "endpointing":
            await asyncio.sleep(0.75)
        case "transcript awaited":
            await asyncio.sleep(1.2)
        case "planner asked":
            await robot.next(wire.TurnBegin)
        case "first delta":
            await robot.next(wire.SpeechText)
        case "speaking":
            await until(lambda: robot.played_ms(1) >= 700)
        case "finishing":
            await until(lambda: robot.played_ms(1) >= TOTAL_MS - 200)


async def at_rest(theatre: Stage, step: str) -> None:
    """No turn is under way, nor anything that could become one: a transcript is awaited for 8 s,
    a planner and a voice for 4 s."""
    await asyncio.sleep(9 if step in STAGES[:3] else 5)
    await until(lambda: not theatre.sessions.talking)


@pytest.mark.parametrize("step", STAGES)
@pytest.mark.parametrize("agent", AGENTS)
@virtual
async def test_an_agent_that_dies_in_any_stage_leaves_one_end_and_a_next_turn(
    agent: str, step: str
) -> None:
    planner = ScriptedPlanner([Script(PIECES, pause_s=0.4)])
    async with stage(planner, recogniser=SlowRecogniser()) as theatre:
        robot = await theatre.connect(Robot("r1"))
        await reach(step, robot)
        theatre.kill(agent)
        await at_rest(theatre, step)
        begun = Counter(m.turn for m in robot.told(wire.TurnBegin))
        ends = robot.told(wire.TurnEnd)
        assert Counter(m.turn for m in ends) == begun
        assert len(theatre.ended()) == len(ends)
        for end in ends:
            assert end.heard_text == end.response_text or end.outcome is not Outcome.DONE
            assert not end.heard_text or end.response_text.startswith(end.heard_text)
        if not ends:
            assert agent in ("ears", "stt"), "only who listens can lose what the user said"
            assert step in STAGES[:3]

        theatre.revive(agent)
        await asyncio.sleep(1)
        robot.speak("once more")
        after = await robot.next(wire.TurnEnd, len(ends) + 1)
        assert after.outcome is Outcome.DONE
        assert after.heard_text
