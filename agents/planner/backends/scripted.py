"""A planner that says what it is told to, when it is told to: for tests and benches."""

import asyncio
import json
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import NamedTuple

from agents.engines.language.base import Ending, Prompt, refuse_guide
from agents.runtime.errors import AgentError, BackendUnavailable
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState

Sleep = Callable[[float], Awaitable[None]]


class Script(NamedTuple):
    """One answer: its pieces, the seconds before each, and an error that ends it."""

    pieces: tuple[str, ...]
    pause_s: float = 0.0
    error: AgentError | None = None


class ScriptedPlanner:
    """Plays scripts in order; without one it echoes the user as a happy robot would, and says by the
    intent which ``model`` it is. A model whose name begins with ``!`` cannot be started.

    It takes ``chat_pause_s`` before each piece of a chat without a script, and ``capacity`` of all
    at once. ``opened`` and ``closed`` count the answers that were begun and those that were left,
    by their end or by a cancel.
    """

    name = "scripted"

    def __init__(
        self,
        scripts: Iterable[Script] = (),
        *,
        plan: str = '{"actions": [], "ttl_ms": 500}',
        sleep: Sleep = asyncio.sleep,
        model: str = "",
        chat_pause_s: float = 0.0,
        capacity: int = 1024,
    ) -> None:
        self.model = model
        self.capacity = capacity
        self._chat_pause_s = chat_pause_s
        self._scripts = deque(scripts)
        self._plan = plan
        self._sleep = sleep
        self.counters: Counter[str] = Counter()
        self.opened = 0
        self.closed = 0

    async def start(self) -> None:
        """Nothing to load.

        Raises:
            BackendUnavailable: the model is scripted to be one that cannot be.
        """
        if self.model.startswith("!"):
            raise BackendUnavailable(f"{self.model} is scripted to fail")

    async def close(self) -> None:
        """Nothing to free."""

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """Play the next script."""
        script = self._scripts.popleft() if self._scripts else echo(turn.user_text, self.model)
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

    async def chat(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """The next script as plain text; without one, the last message's words again, one a
        piece. Against a schema, an object with nothing in it."""
        refuse_guide(prompt, self.name)
        script = self._scripts.popleft() if self._scripts else self._repeated(prompt)
        self.opened += 1
        try:
            for piece in script.pieces:
                if script.pause_s:
                    await self._sleep(script.pause_s)
                yield piece
            if script.error is not None:
                raise script.error
            said = sum(len(message.text.split()) for message in prompt.messages)
            prompt.ended(Ending("stop", said, len(script.pieces)))
        finally:
            self.closed += 1

    def _repeated(self, prompt: Prompt) -> Script:
        if prompt.schema is not None:
            return Script(("{}",), self._chat_pause_s)
        words = prompt.messages[-1].text.split()[: prompt.max_tokens]
        pieces = (f"{' ' if place else ''}{word}" for place, word in enumerate(words))
        return Script(tuple(pieces), self._chat_pause_s)


def echo(text: str, intent: str = "") -> Script:
    """The answer that repeats ``text``: in one piece, since a bench counts every message."""
    answer = {"emotion": "happy", "intensity": 0.5, "intent": intent or "echo", "text": f"{text}."}
    return Script((json.dumps(answer),))
