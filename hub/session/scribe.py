"""Writes down what robots said and heard, beside their conversations."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from functools import partial
from typing import Any

import structlog

from hub.counters import Counters
from hub.open_turn import OpenTurn
from hub.session.stash import Stash
from hub.store.base import Record, Store
from protocols.errors import HubError
from protocols.messages.turn import Exchange

log = structlog.get_logger()


class Scribe:
    """A full disk costs the history, never the conversation."""

    def __init__(
        self,
        store: Store,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        counters: Counters,
    ) -> None:
        self._store, self._start, self._counters = store, start, counters

    def remember(self, robot: str, session: str, exchange: Exchange) -> None:
        """Commit an exchange to a robot's history."""
        outcome = "interrupted" if exchange.interrupted else "done"
        record = Record(session, exchange, outcome)
        self.later(robot, partial(self._store.append_turn, robot, record))

    def keep_open(self, turns: Mapping[str, OpenTurn | None]) -> None:
        """Write down turns under way."""
        self.later(", ".join(turns), partial(self._store.keep_open, turns))

    def later(self, robot: str, write: Callable[[], Awaitable[object]]) -> None:
        """``write`` in the background."""
        self._start(self.saved(robot, write))

    async def expire(self, stash: Stash, connected: Callable[[], Collection[str]]) -> None:
        """Forget the conversations of robots that are long gone; ``stash`` counts them."""

        async def look() -> None:
            before = stash.kept
            kept = await self._store.expire(connected=connected())
            stash.looked(before, kept, connected())

        await self.saved("", look)

    async def saved(self, robot: str, write: Callable[[], Awaitable[object]]) -> None:
        """``write`` now; what cannot be written is counted and logged."""
        try:
            await write()
        except HubError as error:
            self._counters.count("history_not_saved")
            log.error("history not saved", robot=robot, error=str(error))
