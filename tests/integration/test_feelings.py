"""A robot of the real hub and its feelings, over real sockets and a real file."""

import json
from pathlib import Path

from agents.feelings.agent import Feelings, by_chance
from agents.feelings.backends.file import FILE, FileBook
from agents.runtime.life import Agent
from protocols.messages.affect import AffectState
from protocols.messages.face import AffectChanged
from protocols.messages.robot import Emotion, TurnEnd
from tests.integration.stack import running, spoken, told


def feelings(directory: Path) -> Agent:
    book = FileBook(directory)
    return Agent(book, [Feelings(book, noise=by_chance("seed"))], capacity=10)


async def test_a_robot_is_told_what_it_feels_and_its_day_is_written_down(tmp_path: Path) -> None:
    agent = feelings(tmp_path / "feelings")
    async with running(tmp_path / "hub", others=[("feelings-primary", agent)]) as hub:
        hub.observe(AffectChanged)
        hub.observe(AffectState)
        async with hub.robot() as robot:
            assert told(robot, Emotion)[0].turn == 0
            robot.say(spoken("good morning robot"))
            await robot.next(TurnEnd)
            felt = await hub.fact(AffectChanged, lambda felt: felt.turn > 0)
            emotion = next(e for e in told(robot, Emotion) if e.turn == felt.turn)
            assert (emotion.emotion, emotion.intensity) == (felt.emotion, felt.intensity)
            await hub.fact(AffectState, lambda state: state.conversation_active)
            await hub.fact(AffectState, lambda state: state.daily_time_s > 0.5)
        async with hub.http() as http:
            agents = (await http.get("/status")).text
        assert "feelings" in agents
    spent = json.loads((tmp_path / "feelings" / FILE).read_text())["robots"]["r1"]["spent_s"]
    assert spent > 0.5
