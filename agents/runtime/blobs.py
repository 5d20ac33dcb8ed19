"""Bytes of jobs, on the agent's side: asked for from the hub, and handed out when it asks.

The protocol is ``protocols/messages/blob.py``. A service adds ``PULL`` to what it consumes and
``PULL_ASKS`` to what it produces to take bytes in, ``OFFER``, ``OFFER_ENDS`` and ``OFFER_PARTS`` to
hand bytes out.
"""

import asyncio
from collections.abc import Sequence

from agents.runtime.errors import AgentError
from agents.runtime.service import Emit, Inbox
from protocols.envelope import Message
from protocols.messages.blob import (
    PART_BYTES,
    BlobPart,
    BlobRef,
    BlobSent,
    BlobTaken,
    BlobWant,
    BlobWanted,
)

Messages = frozenset[type[Message]]

PULL: Messages = frozenset({BlobSent})
PULL_ASKS: Messages = frozenset({BlobWanted})
OFFER: Messages = frozenset({BlobWant})
OFFER_ENDS: Messages = frozenset({BlobTaken})
OFFER_PARTS: Messages = frozenset({BlobPart})

PART_WAIT_S = 5.0
"""Longest wait for a part: the link loses nothing, so beyond it the hub has no such blob."""
OFFER_WAIT_S = 30.0
"""For how long the hub may ask for nothing before what was made is thrown away."""


class BlobMissing(AgentError):
    """Bytes that belong to the job did not come, or are not what was announced."""

    code = "blob_missing"


class BlobTooLarge(AgentError):
    """Bytes that belong to the job are more than the service takes."""

    code = "too_large"


async def pull(inbox: Inbox, emit: Emit, blob: BlobRef, limit_bytes: int) -> bytes:
    """All bytes of a blob that came with the job.

    Raises:
        BlobTooLarge: it has more than ``limit_bytes``.
        BlobMissing: the hub does not send it.
    """
    if blob.size_bytes > limit_bytes:
        raise BlobTooLarge(f"{blob.size_bytes} bytes were sent, {limit_bytes} are allowed")
    taken = bytearray()
    while len(taken) < blob.size_bytes:
        emit(BlobWanted(index=blob.index, offset=len(taken)))
        part = await _part(inbox, blob.index, len(taken))
        if not part or len(taken) + len(part) > blob.size_bytes:
            raise BlobMissing(f"blob {blob.index} has not the {blob.size_bytes} bytes it announces")
        taken += part
    return bytes(taken)


async def offer(inbox: Inbox, emit: Emit, blobs: Sequence[bytes]) -> None:
    """Hand out ``blobs``, which the job's answer has named, until the hub has them all.

    Raises:
        BlobMissing: the hub stopped asking.
    """
    while True:
        try:
            async with asyncio.timeout(OFFER_WAIT_S):
                item = await anext(inbox)
        except TimeoutError:
            raise BlobMissing("the hub did not take what was made") from None
        except StopAsyncIteration:
            return
        match item.envelope.body:
            case BlobWant(index=index, offset=offset) if index < len(blobs):
                part = blobs[index][offset : offset + PART_BYTES]
                emit(BlobPart(index=index, offset=offset), part)
            case BlobTaken():
                return
            case _:
                pass


async def _part(inbox: Inbox, index: int, offset: int) -> bytes:
    try:
        async with asyncio.timeout(PART_WAIT_S):
            async for item in inbox:
                match item.envelope.body:
                    case BlobSent(index=of, offset=at, data=data) if (of, at) == (index, offset):
                        return data
                    case _:
                        pass
    except TimeoutError:
        pass
    raise BlobMissing(f"blob {index} did not come beyond its byte {offset}")
