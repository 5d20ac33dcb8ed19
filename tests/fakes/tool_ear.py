"""Hears what ``tests/fakes/tool_server.py`` tells of itself."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from agents.planner.tools.servers import StdioServer
from tests.fakes.tool_server import ADDS

PATIENCE_S = 20.0


class ToolEar:
    """``calls`` are the tools that were called, ``server`` is how the process is started."""

    def __init__(self) -> None:
        self.server: StdioServer
        self.calls: list[str] = []
        self.alive = 0
        self._told = asyncio.Event()

    async def until_called(self, *names: str) -> None:
        """Wait until exactly these were called."""
        await self._until(lambda: self.calls == list(names))

    async def until_dead(self) -> None:
        """Wait until every process has ended."""
        await self._until(lambda: self.alive == 0)

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._told.clear()
                await self._told.wait()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.alive += 1
        async for line in reader:
            self.calls.append(line.decode().strip())
            self._told.set()
        self.alive -= 1
        self._told.set()
        writer.close()


@asynccontextmanager
async def tool_ear(description: str = ADDS) -> AsyncIterator[ToolEar]:
    """An ear for as long as the context is open; no process outlives it."""
    ear = ToolEar()
    async with await asyncio.start_server(ear._hear, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        ear.server = StdioServer(
            command=sys.executable,
            args=("-m", "tests.fakes.tool_server", description, str(port)),
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        yield ear
        await ear.until_dead()
