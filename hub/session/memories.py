"""What robots remember, asked of whoever keeps it, beside their conversations. Shell."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from hub.counters import Counters
from hub.session import effects as do
from hub.session import events as on
from protocols.errors import HubError
from protocols.messages.memory import MemoryState

log = structlog.get_logger()


class Remembering(Protocol):
    """Whoever keeps what robots may remember. Both raise a ``HubError`` if it cannot."""

    async def recall(self, robot: str) -> MemoryState:
        """What ``robot`` remembers, and whether it may."""

    async def note(self, robot: str, tags: tuple[dict[str, str], ...]) -> MemoryState:
        """Have ``robot`` remember ``tags``; what it remembers then."""


class Memories:
    """See the module. What fails is counted, and the conversation goes on without it."""

    def __init__(
        self,
        remembering: Remembering | None,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        counters: Counters,
    ) -> None:
        self._remembering, self._start, self._counters = remembering, start, counters

    def obey(
        self, robot: str, effect: do.Recall | do.Note, tell: Callable[[on.Recalled], None]
    ) -> None:
        """Recall or note, and ``tell`` what the robot remembers, though never in this call."""
        if self._remembering is not None:
            self._start(self._do(self._remembering, robot, effect, tell))

    async def _do(
        self,
        remembering: Remembering,
        robot: str,
        effect: do.Recall | do.Note,
        tell: Callable[[on.Recalled], None],
    ) -> None:
        try:
            if isinstance(effect, do.Note):
                memory = await remembering.note(robot, effect.tags)
                self._counters.count("memory.noted", len(effect.tags) - memory.refused)
            else:
                memory = await remembering.recall(robot)
        except HubError as error:
            self._counters.count(f"memory.failed.{error.code}")
            log.warning("memory failed", robot=robot, code=error.code)
            return
        tell(on.Recalled(memory))
