"""The trace on its way from the hub to the recorder.

An entry is one msgpack map, tagged by ``type``; what the tags mean stands in ``protocols/README.md``
and in ``hub/trace/entries.py``. Whoever only stores entries need not know them.
"""

from typing import Any

import msgspec

from protocols.envelope import Message

TRACE_VERSION = 1
"""Version of the entries; a reader refuses a newer one."""

MAX_BATCH_BYTES = 64 * 1024
"""A batch leaves the hub once it has so much, however early that is."""


class TraceBatch(Message, tag="trace.batch"):
    """Entries of the hub's trace, in order; the blob is a msgpack array of them.

    It tells whoever stores them which run of which hub they are of; ``words`` says that recording
    is on, so that they hold what people say.
    """

    boot: int
    hub_id: str
    version: str
    words: bool = False
    trace: int = TRACE_VERSION


_entries = msgspec.msgpack.Decoder(list[dict[str, Any]])
_encode = msgspec.msgpack.Encoder().encode


def join_entries(entries: list[bytes]) -> bytes:
    """The blob of a batch of encoded entries."""
    return _encode([msgspec.Raw(entry) for entry in entries])


def split_entries(blob: bytes) -> list[dict[str, Any]]:
    """The entries of a batch, as maps. Each has ``type``, ``n``, its number from 1 in a run of the
    hub, and ``t_ns`` of the hub's monotonic clock.

    Raises:
        msgspec.DecodeError: the blob is no array of maps.
    """
    return _entries.decode(blob)
