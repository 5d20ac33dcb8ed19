"""The reliable half of a link: nothing is lost, repeated or put out of order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.envelope import Envelope
from protocols.errors import PeerOverrun
from protocols.link import BATCH_BYTES, ROBOT_BYTES, Arrivals, Outbox, share_of
from protocols.messages.blob import BlobSent
from protocols.messages.job import JobCancel


def send_all(outbox: Outbox) -> list[tuple[int, tuple[bytes, ...]]]:
    sent = []
    while (item := outbox.unsent()) is not None:
        sent.append(item)
        outbox.mark_sent()
    return sent


def test_what_is_not_acknowledged_is_sent_again_from_the_oldest_on() -> None:
    outbox = Outbox()
    for i in range(4):
        outbox.push("robot1", (bytes([i]),), now=0.0)
    assert [seq for seq, _ in send_all(outbox)] == [1, 2, 3, 4]
    outbox.acknowledge(2, now=0.1)
    assert send_all(outbox) == []
    outbox.rewind()
    assert send_all(outbox) == [(3, (b"\x02",)), (4, (b"\x03",))]


def test_what_waits_together_leaves_together_in_order() -> None:
    outbox = Outbox()
    for i in range(3):
        outbox.push(f"robot{i}", (b"topic", bytes([i])), now=0.0)
    assert outbox.unsent_batch() == (1, 3, [b"topic", b"\0", b"topic", b"\1", b"topic", b"\2"])
    outbox.mark_sent(3)
    assert outbox.unsent_batch() is None


def test_a_batch_is_bounded_but_never_empty() -> None:
    outbox = Outbox(robot_bytes=4 * BATCH_BYTES, total_bytes=4 * BATCH_BYTES)
    for size in (2 * BATCH_BYTES, 10, BATCH_BYTES):
        outbox.push("robot1", (b"x" * size,), now=0.0)
    counts = []
    while (batch := outbox.unsent_batch()) is not None:
        counts.append(batch[1])
        outbox.mark_sent(batch[1])
    assert counts == [1, 1, 1]


def test_a_robot_at_its_bound_leaves_room_for_the_others() -> None:
    outbox = Outbox(robot_bytes=10, total_bytes=100)
    outbox.push("robot1", (b"x" * 10,), now=0.0)
    with pytest.raises(PeerOverrun):
        outbox.push("robot1", (b"x",), now=0.0)
    outbox.push("robot2", (b"x" * 10,), now=0.0)
    outbox.acknowledge(1, now=0.0)
    outbox.push("robot1", (b"x",), now=0.0)
    assert len(outbox) == 2


def test_all_robots_together_have_a_bound_too() -> None:
    outbox = Outbox(robot_bytes=10, total_bytes=25)
    for robot in ("robot1", "robot2"):
        outbox.push(robot, (b"x" * 10,), now=0.0)
    with pytest.raises(PeerOverrun):
        outbox.push("robot3", (b"x" * 10,), now=0.0)


def test_one_message_above_a_robots_bound_passes_alone() -> None:
    outbox = Outbox(robot_bytes=10, total_bytes=100)
    outbox.push("robot1", (b"x" * 50,), now=0.0)
    with pytest.raises(PeerOverrun):
        outbox.push("robot1", (b"x",), now=0.0)


def test_only_waiting_without_progress_counts_as_a_stall() -> None:
    outbox = Outbox()
    assert outbox.stalled_s(now=9.0) == 0.0
    outbox.push("robot1", (b"a",), now=10.0)
    outbox.push("robot1", (b"b",), now=11.0)
    assert outbox.stalled_s(now=11.5) == 1.5
    outbox.acknowledge(1, now=11.5)
    assert outbox.stalled_s(now=12.0) == 0.5
    outbox.acknowledge(2, now=12.0)
    assert outbox.stalled_s(now=99.0) == 0.0


@given(st.lists(st.sampled_from(["push", "lossy", "flush", "ack", "rewind", "relink"])))
def test_every_message_is_taken_once_and_in_order_whatever_the_wire_loses(
    steps: list[str],
) -> None:
    """Whatever is lost, one flush over a sound wire after the last step delivers everything.

    A new link delivers what the old one had not acknowledged again, and the ledger knows it by its
    id; here the receiver's memory of ids stands for the ledger.
    """
    outbox, arrivals = Outbox(), Arrivals()
    pushed: list[bytes] = []
    taken: list[bytes] = []

    def deliver(lose_every_other: bool) -> None:
        for i, (seq, frames) in enumerate(send_all(outbox)):
            lost = lose_every_other and i % 2 == 0
            if not lost and arrivals.take(seq) and frames[0] not in taken:
                taken.append(frames[0])

    for step in [*steps, "rewind", "flush", "ack"]:
        match step:
            case "push":
                pushed.append(len(pushed).to_bytes(2))
                outbox.push("robot1", (pushed[-1],), now=0.0)
            case "lossy" | "flush":
                deliver(lose_every_other=step == "lossy")
            case "ack":
                outbox.acknowledge(arrivals.last, now=0.0)
            case "rewind":
                outbox.rewind()
            case "relink":
                arrivals = Arrivals()
                outbox.restart(now=0.0)
    assert taken == pushed
    assert len(outbox) == 0


def test_a_part_of_a_blob_leaves_robots_their_room_and_jobs_have_each_their_own() -> None:
    outbox = Outbox()
    part = BlobSent(index=0, offset=0, data=b"")
    for envelope in (Envelope(robot="r1", body=part), Envelope(job=5, body=part)):
        share = share_of(envelope)
        outbox.push(share.owner, (bytes(2 * ROBOT_BYTES),), 0.0, share.bound_bytes)
    for number in (6, 7):
        owner, bound = share_of(Envelope(job=number, body=JobCancel()))
        outbox.push(owner, (bytes(ROBOT_BYTES),), 0.0, bound)
    for robot in ("r1", ""):
        owner, bound = share_of(Envelope(robot=robot, job=5, body=JobCancel()))
        outbox.push(owner, (bytes(ROBOT_BYTES),), 0.0, bound)
        with pytest.raises(PeerOverrun):
            outbox.push(owner, (b"more",), 0.0, bound)
