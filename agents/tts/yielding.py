"""A voice that is well ahead of the playhead lets others have the machine first."""

import asyncio
from collections.abc import Awaitable, Callable

from agents.tts.parts import Lead

AHEAD_S, RESUMES_S = 1.5, 1.0
"""More than this ahead, a voice makes nothing: nobody would hear it sooner. It goes on when it is
no further ahead than the second, so that it does so in portions that are worth it."""
LEAST_WAIT_S = 0.01


async def yield_while_ahead(
    lead: Lead, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Return at once unless the response is too far ahead of what is played, else when it is not.

    Playing takes as long as the audio lasts, so nothing can be missed by sleeping for the rest.
    """
    if lead() <= AHEAD_S:
        return
    while (ahead_s := lead() - RESUMES_S) > 0:
        await sleep(max(ahead_s, LEAST_WAIT_S))
