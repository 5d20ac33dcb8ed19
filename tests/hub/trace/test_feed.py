"""The trace leaves the hub in batches, bounded, and only if somebody records it."""

import asyncio
from itertools import chain

import msgspec

from hub.counters import Counters
from hub.trace.check import examine
from hub.trace.entries import Depth, Entry, Started, decode_entry
from hub.trace.feed import BATCH_S, WAITING_BYTES, Feed
from protocols.envelope import AnyEnvelope
from protocols.messages.trace import MAX_BATCH_BYTES, TraceBatch, split_entries
from tests.virtual_time import virtual

ABOUT = TraceBatch(boot=1, hub_id="hub-1", version="0")


class Rig:
    """A feed, and what it published."""

    def __init__(self, recorder: bool = True) -> None:
        self.blobs: list[bytes] = []
        self.counters = Counters()
        self.feed = Feed(self._publish, ABOUT, self.counters)
        self.n = 1
        self.feed.take(Started(n=1, t_ns=1, boot=1))
        if recorder:
            self.feed.recorder_changed("recorder-1", True)

    def _publish(self, envelope: AnyEnvelope, blob: bytes) -> None:
        assert envelope.body is ABOUT
        self.blobs.append(blob)

    def tell(self, count: int, queue: str = "q") -> None:
        for _ in range(count):
            self.n += 1
            self.feed.take(Depth(n=self.n, t_ns=self.n, queue=queue, depth=1, bound=2))

    def told(self) -> list[Entry]:

        maps = chain.from_iterable(split_entries(blob) for blob in self.blobs)
        return [decode_entry(msgspec.msgpack.encode(one)) for one in maps]


@virtual
async def test_entries_wait_for_others_but_not_for_long() -> None:
    rig = Rig()
    rig.tell(3)
    before = len(rig.blobs)
    await asyncio.sleep(BATCH_S + 0.01)
    assert len(rig.blobs) == before + 1
    assert [entry.n for entry in rig.told()] == [1, 2, 3, 4]


@virtual
async def test_many_entries_do_not_wait_at_all() -> None:
    rig = Rig()
    rig.tell(2_000, "q" * 100)
    assert len(rig.blobs) > 3
    assert max(map(len, rig.blobs)) < MAX_BATCH_BYTES + 1_000


@virtual
async def test_what_came_before_the_recorder_is_kept_for_it() -> None:
    rig = Rig(recorder=False)
    rig.tell(3_000)
    await asyncio.sleep(5)
    assert rig.blobs == []
    rig.feed.recorder_changed("recorder-1", True)
    assert [entry.n for entry in rig.told()] == list(range(1, 3_002))


@virtual
async def test_what_is_too_much_to_keep_is_lost_counted_and_seen_as_a_hole() -> None:
    rig = Rig(recorder=False)
    size = 10_000
    rig.tell(WAITING_BYTES // size + 50, "q" * size)
    lost = rig.counters.read()["trace_entries.dropped"]
    assert lost > 30
    rig.feed.recorder_changed("recorder-1", True)
    rig.tell(1)
    rig.feed.flush()
    verdict = examine(rig.told())
    assert (verdict.violation, verdict.holes, verdict.longest_hole) == (None, 1, lost)


@virtual
async def test_without_a_recorder_nothing_is_published() -> None:
    rig = Rig()
    rig.feed.recorder_changed("recorder-1", False)
    published = len(rig.blobs)
    rig.tell(5)
    await asyncio.sleep(1)
    assert len(rig.blobs) == published
    rig.feed.recorder_changed("recorder-2", True)
    assert [entry.n for entry in rig.told()] == list(range(1, 7))
