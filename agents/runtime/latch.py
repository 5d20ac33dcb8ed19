"""The latch of long work: while a robot is being answered, it holds between two steps.

A latch and not a share of memory, because a budget of memory does not divide a GPU's *time*.
"""

import asyncio
import threading
from collections.abc import Callable


class Latch:
    """Set on the loop by ``work.hold``, read between two steps on whatever thread works.

    ``MAX_HOLD_S`` bounds one stay, so that a lost release delays a picture and never loses it.
    """

    MAX_HOLD_S = 60.0

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._opened = asyncio.Event()
        self._opened.set()

    @property
    def held(self) -> bool:
        """Whether long work is to hold."""
        return not self._open.is_set()

    def set(self, held: bool) -> None:
        """Hold, or go on. Called on the loop."""
        if held:
            self._open.clear()
            self._opened.clear()
        else:
            self._open.set()
            self._opened.set()

    def pass_through(self, abandoned: Callable[[], bool], look_s: float = 0.05) -> None:
        """Return once the latch is open, or ``abandoned`` says that nobody waits any more. Called
        on a working thread, between two steps."""
        for _ in range(int(self.MAX_HOLD_S / look_s)):
            if self._open.wait(look_s) or abandoned():
                return

    async def wait(self) -> None:
        """Return once the latch is open; for work that is done on the loop."""
        try:
            async with asyncio.timeout(self.MAX_HOLD_S):
                await self._opened.wait()
        except TimeoutError:
            return
