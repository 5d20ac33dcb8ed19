"""Who waits for the outcome of an announcement."""

import asyncio
from collections.abc import Callable


class Requests:
    """Numbers requests, and hands each its outcome."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._last = 0

    async def outcome(self, make: Callable[[int], None]) -> str:
        """Let ``make`` make a request under the number it is given; the outcome."""
        self._last += 1
        request = self._last
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[request] = answer
        try:
            make(request)
            return await answer
        finally:
            del self._waiting[request]

    def settle(self, request: int, outcome: str) -> None:
        """A request has ended so; nobody may wait for it any more."""
        answer = self._waiting.get(request)
        if answer is not None and not answer.done():
            answer.set_result(outcome)
