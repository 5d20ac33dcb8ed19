"""Requests of programs beside robots that are being answered: one begins in each turn of the loop."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class Turnstile:
    """ASGI middleware that lets requests in one after the other, with a turn of the loop between
    them.

    Programs that were told to come again in a second come again at once, all of them, and to begin
    a request takes the loop some 0.5 ms. What a robot sends meanwhile would wait for all; so it
    waits for one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._gate = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            async with self._gate:
                await asyncio.sleep(0)
        await self._app(scope, receive, send)
