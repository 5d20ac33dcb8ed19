"""A planner that says what it is told to, when it is told to: for tests and benches."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import NamedTuple

from agents.runtime.errors import AgentError
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState

Sleep = Callable[[float], Awaitable[None]]


class Script(NamedTuple):
    """One answer: its pieces, the seconds before each, and an error that ends it."""

    pieces: tuple[str, ...]
    pause_s: float = 0.0
    error: AgentError | None = None


class ScriptedPlanner:
    """Plays scripts in order; without one it echoes the user as a happy robot would.

    ``opened`` and ``closed`` count the answers that were begun and those that were left, by their
    end or by a cancel.
    """

    name = "scripted"
    capacity = 1024
    model = ""

    def __init__(
        self,
        scripts: Iterable[Script] = (),
        *,
        plan: str = '{"actions": [], "ttl_ms": 500}',
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._scripts = deque(scripts)
        self._plan = plan
        self._sleep = sleep
        self.opened = 0
        self.closed = 0

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """Play the next script."""
        script = self._scripts.popleft() if self._scripts else echo(turn.user_text)
        self.opened += 1
        try:
            for piece in script.pieces:
                if script.pause_s:
                    await self._sleep(script.pause_s)
                yield piece
            if script.error is not None:
                raise script.error
        finally:
            self.closed += 1

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """Always the same plan."""
        return self._plan


def echo(text: str) -> Script:
    """The answer that repeats ``text``: in one piece, since a bench counts every message."""
    answer = {"emotion": "happy", "intensity": 0.5, "intent": "echo", "text": f"{text}."}
    return Script((json.dumps(answer),))
