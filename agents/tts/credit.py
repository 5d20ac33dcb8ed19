"""How far a response may be sent ahead of what is heard, and in which portions."""

import asyncio

from agents.runtime.errors import AgentError

FIRST_CHUNK_MS = 30
"""A phrase begins with a short chunk, so that its sound starts early."""
CHUNK_MS = 100
MIN_CHUNK_MS = 20
"""Credit for less than this is saved up, unless it is the rest of a phrase."""


def portion(ready: int, begun: bool, room: int | None, rate_hz: int, ended: bool) -> int:
    """How many of ``ready`` samples to send now, 0 for none.

    ``begun``: the phrase has sent something. ``room``: samples that the credit still allows, None
    for any. ``ended``: no further samples follow in this phrase.
    """
    full = rate_hz * (CHUNK_MS if begun else FIRST_CHUNK_MS) // 1000
    wanted = min(ready, full)
    if wanted < full and not ended:
        return 0
    if room is None or room >= wanted:
        return wanted
    return room if room >= rate_hz * MIN_CHUNK_MS // 1000 else 0


class Credit:
    """Milliseconds of a response that may be sent; None: as much as there is.

    Grants are absolute, so the highest one counts, whatever their order.
    """

    def __init__(self, until_ms: int | None) -> None:
        self._until_ms = until_ms
        self._changed = asyncio.Event()
        self._over = False

    def grant(self, until_ms: int) -> None:
        """Allow sending up to ``until_ms``."""
        self._until_ms = max(until_ms, self._until_ms or 0)
        self._changed.set()

    def end(self) -> None:
        """No grant follows."""
        self._over = True
        self._changed.set()

    @property
    def is_limited(self) -> bool:
        """Whether somebody grants it, as a listener does who plays what comes."""
        return self._until_ms is not None

    def room(self, sent: int, rate_hz: int) -> int | None:
        """Samples that may follow the ``sent`` ones; None: any number."""
        if self._until_ms is None:
            return None
        return max(0, self._until_ms * rate_hz // 1000 - sent)

    async def more(self) -> None:
        """Wait for the next grant.

        Raises:
            AgentError: ``speech_abandoned``; there will be none.
        """
        if self._over:
            raise AgentError("the response was closed before it was sent", "speech_abandoned")
        self._changed.clear()
        await self._changed.wait()
