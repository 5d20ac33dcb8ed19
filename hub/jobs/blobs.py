"""Bytes of jobs, on the hub's side: sent as agents ask for them, and fetched when a job names some.

The protocol is ``protocols/messages/blob.py``; the agent's side is its ``runtime/blobs.py``.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from hub.errors import AgentMissing, JobError
from hub.jobs.work import Work
from protocols.bus import HubBus
from protocols.envelope import Message
from protocols.messages.blob import SENT_BYTES, BlobRef, BlobSent, BlobWant

WAITING_BYTES = 512 * 1024
"""What may wait on a link before a further part is put onto it: a cancel never waits behind more."""
LOOK_S = 0.005
"""How often a full link is looked at."""
PART_WAIT_S = 1.0
"""How long a part may be on its way before it counts as lost and is asked for again."""
PART_TRIES = 5

Tell = Callable[[Work, Message], None]
"""Sends a command of a job to the agent that does it."""


class BlobsLost(JobError):
    """What a job has made did not come."""

    code = "blob_missing"


class ResultTooLarge(JobError):
    """A job has made more than the hub takes."""

    code = "too_large"


class BlobPost:
    """Answers ``blob.wanted``, no faster than links take it."""

    def __init__(self, bus: HubBus, tell: Tell) -> None:
        self._bus = bus
        self._tell = tell
        self._waiting: deque[tuple[Work, int, int, int]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def wanted(self, work: Work, index: int, offset: int) -> None:
        """An agent asks for what follows ``offset``. What is not there is answered by nothing at
        all, so that it need not wait for it."""
        if not any(wire == work.wire for _, wire, _, _ in self._waiting):
            self._waiting.append((work, work.wire, index, offset))
        self._send_what_fits()

    def _send_what_fits(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        full = {
            depth.owner
            for depth in self._bus.depths()
            if depth.queue == "bus.commands_bytes" and depth.depth + SENT_BYTES > WAITING_BYTES
        }
        held: deque[tuple[Work, int, int, int]] = deque()
        while self._waiting:
            work, wire, index, offset = self._waiting.popleft()
            if work.ended or work.wire != wire:
                continue
            if work.instance in full:
                held.append((work, wire, index, offset))
                continue
            # One part a round and link: its depth is known again after it.
            full.add(work.instance)
            # An agent that is gone by now is known to be, before long.
            with suppress(AgentMissing):
                part = BlobSent(index=index, offset=offset, data=_part(work, index, offset))
                self._tell(work, part)
        self._waiting = held
        if held:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(LOOK_S, self._send_what_fits)


async def fetch(
    work: Work, blob: BlobRef, tell: Tell, changed: Callable[[Work, float], Awaitable[bool]]
) -> bytes:
    """All bytes of a blob that the job has named; ``changed`` waits for news of the job and says
    whether any came in so many seconds.

    Raises:
        BlobsLost: they do not come, or are not what was announced.
        JobError: the job has failed meanwhile.
    """
    taken = bytearray()
    while len(taken) < blob.size_bytes:
        part = await _fetched_part(work, blob.index, len(taken), tell, changed)
        if not part or len(taken) + len(part) > blob.size_bytes:
            raise BlobsLost(f"blob {blob.index} has not the {blob.size_bytes} bytes it announces")
        taken += part
    return bytes(taken)


async def _fetched_part(
    work: Work,
    index: int,
    offset: int,
    tell: Tell,
    changed: Callable[[Work, float], Awaitable[bool]],
) -> bytes:
    work.awaited, work.part = (index, offset), None
    try:
        for _ in range(PART_TRIES):
            tell(work, BlobWant(index=index, offset=offset))
            news = True
            while news:
                news = await changed(work, PART_WAIT_S)
                part = _arrived(work)
                if part is not None:
                    return part
    finally:
        work.awaited = None
    raise BlobsLost(f"blob {index} did not come beyond its byte {offset}")


def _arrived(work: Work) -> bytes | None:
    """The part that is waited for, if it has come."""
    if work.part is None and work.ended:
        raise work.failure or BlobsLost("the job ended before its result was taken")
    return work.part


def _part(work: Work, index: int, offset: int) -> bytes:
    if not 0 <= index < len(work.blobs) or offset < 0:
        return b""
    return bytes(memoryview(work.blobs[index])[offset : offset + SENT_BYTES])
