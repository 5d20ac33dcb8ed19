"""The reflex planner as an engine: deterministic, instant, always there."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime

import msgspec

from agents.engines.language.base import Prompt
from agents.planner.reflex.replies import reply
from agents.planner.reflex.rules import decide
from agents.runtime.errors import BackendUnavailable
from protocols.messages.turn import TurnStart
from protocols.plan import WorldState


def wall_clock() -> datetime:
    """Local time of this machine; for answers to people, never for decisions."""
    return datetime.now(UTC).astimezone()


class ReflexPlanner:
    """Rules instead of a model. ``now`` is the wall clock it answers "what time is it" from."""

    name = "reflex"
    capacity = 256
    model = ""

    def __init__(self, now: Callable[[], datetime] = wall_clock) -> None:
        self._now = now
        self.counters: Counter[str] = Counter()
        self._encoder = msgspec.json.Encoder()

    async def start(self) -> None:
        """Answer once, so that the tables are warm."""
        reply(TurnStart(user_text="hello"), self._now())

    async def close(self) -> None:
        """Nothing to free."""

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        """Write the answer in one piece."""
        written = reply(turn, self._now())._asdict()
        text = written.pop("text")
        yield self._encoder.encode({**written, "text": text}).decode()

    async def plan(self, world: WorldState, max_actions: int) -> str:
        """Write the plan that the rules make."""
        return self._encoder.encode(decide(world, max_actions)).decode()

    def chat(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Rules answer robots, and nobody else.

        Raises:
            BackendUnavailable: always.
        """
        raise BackendUnavailable(
            "the reflex planner has no language model; choose another LLM_BACKEND to chat with one"
        )
