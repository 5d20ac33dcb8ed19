"""Requests of programs beside robots: they begin one by one, and apart while a robot is answered."""

import asyncio
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from hub.counters import Counters
from hub.edge.bulk import nobody_is_answered

APART_S = 0.005
"""Between two beginnings, while a robot is being answered: 200 in a second."""
MOST_WAITING = 64
"""Who comes while so many wait goes through at once: a flood of requests is no reason to answer none
in time. Each is counted."""


class Turnstile:
    """ASGI middleware.

    Programs that were told to come again in a second come again all at once, and a request takes the
    loop some 0.7 ms. A robot's turn passes the loop six times in 4 ms, and each time would wait for
    one more of them.

    Args:
        counters: count who went through because too many waited.
        held: whether a robot is being answered.
        clock_s: monotonic seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        counters: Counters,
        held: Callable[[], bool] = nobody_is_answered,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._counters = counters
        self._held = held
        self._clock_s = clock_s
        self._gate = asyncio.Lock()
        self._next_s = 0.0
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if self._waiting < MOST_WAITING:
                await self._wait()
            else:
                self._counters.count("requests.let_through")
        await self._app(scope, receive, send)

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            async with self._gate:
                # Without a wait there is still a turn of the loop in between.
                await asyncio.sleep(max(0.0, self._next_s - self._clock_s()))
                self._next_s = self._clock_s() + (APART_S if self._held() else 0.0)
        finally:
            self._waiting -= 1
