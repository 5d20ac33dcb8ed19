"""Long texts on their way to the hub: in parts that its control lane takes."""

import asyncio
from collections.abc import AsyncIterator

PART_CHARS = 4_096
"""At most 16 KiB on the wire."""
PAUSE_S = 0.02
"""A link acknowledges within 50 ms, and lets 64 KiB wait until then."""


async def in_parts(text: str) -> AsyncIterator[str]:
    """``text`` as it may be emitted: nearly always in one part, for engines write word by word."""
    for at in range(0, len(text), PART_CHARS):
        if at:
            await asyncio.sleep(PAUSE_S)
        yield text[at : at + PART_CHARS]
