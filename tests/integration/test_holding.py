"""While a robot of the real hub is being answered, an agent of long work holds, and goes on after."""

import asyncio
from pathlib import Path

from agents.runtime.latch import Latch
from agents.runtime.life import Agent
from protocols.messages.robot import TurnBegin, TurnEnd
from tests.fakes.job_services import Painter
from tests.fakes.services import ScriptedBackend
from tests.integration.stack import PATIENCE_S, running, spoken


class Watched(Latch):
    """A latch that tells how often it was moved."""

    def __init__(self) -> None:
        super().__init__()
        self.moves: list[bool] = []
        self._moved = asyncio.Event()

    def set(self, held: bool) -> None:
        super().set(held)
        self.moves.append(held)
        self._moved.set()

    async def until(self, moves: list[bool]) -> None:
        """Wait until these are the moves that were made."""
        async with asyncio.timeout(PATIENCE_S):
            while self.moves != moves:
                self._moved.clear()
                await self._moved.wait()


async def test_long_work_holds_while_a_robot_is_being_answered(tmp_path: Path) -> None:
    latch = Watched()
    painter = Agent(ScriptedBackend(), [Painter()], capacity=1, latch=latch)
    async with running(tmp_path, others=[("image_gen-primary", painter)]) as hub:
        async with hub.robot() as robot:
            await latch.until([True, False])  # somebody spoke, so that it is known to be heard
            robot.say(spoken("good morning robot"))
            await robot.next(TurnBegin)
            await latch.until([True, False, True])
            await robot.next(TurnEnd)
            await latch.until([True, False, True, False])
        async with hub.http() as http:
            metrics = (await http.get("/metrics")).text.splitlines()
        assert "hub_long_work_held 0.0" in metrics
