"""Sends the trace to its recorder: in batches, bounded, and never in anybody's way."""

import asyncio
from collections.abc import Callable

from hub.counters import Counters
from hub.trace.entries import Entry, Lost, encode_entry
from protocols.envelope import AnyEnvelope, Envelope
from protocols.messages.trace import MAX_BATCH_BYTES, TraceBatch, join_entries
from protocols.qos import MAX_MEDIA_BYTES

BATCH_S = 0.25
"""The longest that an entry waits for others to leave with it."""
WAITING_BYTES = 4 << 20
"""How much is kept while there is no recorder; what comes then is lost, and counted."""

_LONGEST_ENTRY = MAX_MEDIA_BYTES // 2


class Feed:
    """A sink of the tap. Runs on the hub's loop; ``batch`` is what every batch says of the hub."""

    def __init__(
        self,
        publish: Callable[[AnyEnvelope, bytes], None],
        batch: TraceBatch,
        counters: Counters,
    ) -> None:
        self._publish = publish
        self._batch = batch
        self._counters = counters
        self._batches: list[list[bytes]] = []
        self._open: list[bytes] = []
        self._open_bytes = 0
        self._waiting_bytes = 0
        self._lost: Lost | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._recorders: set[str] = set()

    def recorder_changed(self, instance: str, up: bool) -> None:
        """A recorder takes batches from now on, or takes none any more."""
        if up:
            self._recorders.add(instance)
            self.flush()
        else:
            self._recorders.discard(instance)

    def take(self, entry: Entry) -> None:
        """The next entry."""
        data = encode_entry(entry)
        if self._waiting_bytes + len(data) > WAITING_BYTES or len(data) > _LONGEST_ENTRY:
            self._lose(entry)
            return
        if self._lost is not None:
            data, self._lost = self._after_a_loss(self._lost, data), None
        self._add(data)

    def flush(self) -> None:
        """Send what waits, if anybody takes it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._close_batch()
        if not self._recorders:
            return
        batches, self._batches, self._waiting_bytes = self._batches, [], 0
        for entries in batches:
            self._publish(Envelope(body=self._batch), join_entries(entries))

    def _add(self, data: bytes) -> None:
        self._open.append(data)
        self._open_bytes += len(data)
        self._waiting_bytes += len(data)
        if self._open_bytes >= MAX_BATCH_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_S, self.flush)

    def _after_a_loss(self, lost: Lost, data: bytes) -> bytes:
        """Put the loss where it happened, before the entry that follows it."""
        self._add(encode_entry(lost))
        return data

    def _lose(self, entry: Entry) -> None:
        self._counters.count("trace_entries.dropped")
        count = self._lost.count + 1 if self._lost is not None else 1
        self._lost = Lost(n=entry.n, t_ns=entry.t_ns, count=count)

    def _close_batch(self) -> None:
        if self._open:
            self._batches.append(self._open)
            self._open, self._open_bytes = [], 0
