"""What users want to be reminded of, told to whoever keeps that, beside their conversations. Shell."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from hub.counters import Counters
from hub.reminders.wish import Wish
from hub.session import effects as do
from hub.session import events as on
from protocols.errors import HubError

log = structlog.get_logger()


class Reminding(Protocol):
    """Whoever keeps timers and reminders. Both raise a ``HubError`` if it cannot, and are called
    one after the other for each robot."""

    async def answer(self, robot: str, wish: Wish, turn: int) -> str:
        """Do what the user of ``robot`` wants in ``turn``; what is to be said to that."""

    async def take_back(self, robot: str, turn: int) -> None:
        """Whatever ``turn`` has set was not meant so."""


class Diary:
    """See the module. What fails is counted, and the user is told."""

    def __init__(
        self,
        reminding: Reminding | None,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        counters: Counters,
    ) -> None:
        self._reminding, self._start, self._counters = reminding, start, counters
        self._order: dict[str, asyncio.Lock] = {}

    @property
    def is_kept(self) -> bool:
        """Whether there is anybody."""
        return self._reminding is not None

    def obey(
        self, robot: str, effect: do.Remind | do.TakeBack, tell: Callable[[on.Reminded], None]
    ) -> None:
        """Do what is wanted, and ``tell`` what is to be said, though never in this call."""
        if self._reminding is not None:
            self._start(self._do(self._reminding, robot, effect, tell))

    async def _do(
        self,
        reminding: Reminding,
        robot: str,
        effect: do.Remind | do.TakeBack,
        tell: Callable[[on.Reminded], None],
    ) -> None:
        async with self._order.setdefault(robot, asyncio.Lock()):
            try:
                if isinstance(effect, do.TakeBack):
                    await reminding.take_back(robot, effect.turn)
                    return
                text = await reminding.answer(robot, effect.wish, effect.turn)
            except HubError as error:
                self._counters.count(f"reminders.failed.{error.code}")
                log.warning("reminder failed", robot=robot, code=error.code)
                text = ""
        if isinstance(effect, do.Remind):
            tell(on.Reminded(effect.turn, text))
