"""The subscription table: who hears what, and what is counted."""

import itertools

from protocols.codecs.bus import encode
from protocols.envelope import AnyEnvelope, Envelope
from protocols.messages.audio import MicChunk
from protocols.routes import MAX_ROUTES, MAX_SOURCES, Outgoing, Routes, first_id


def chunk(seq: int, src: str = "hub", robot: str = "robot1") -> tuple[bytes, bytes, bytes]:
    envelope: AnyEnvelope = Envelope(robot=robot, src=src, seq=seq, body=MicChunk(first_sample=seq))
    return encode(envelope)


def ignore(envelope: AnyEnvelope, blob: bytes) -> None:
    """A handler that does nothing."""


def test_a_gap_in_the_numbers_of_a_source_is_counted_as_lost() -> None:
    routes = Routes()
    routes.add(MicChunk, ignore, None)
    for seq in (5, 6, 9):
        routes.deliver_media(*chunk(seq))
    routes.deliver_media(*chunk(1, src="other"))
    routes.deliver_media(*chunk(1, robot="robot2"))
    assert routes.counters.lost == {"mic.chunk": 2}


def test_a_source_that_starts_anew_has_lost_nothing() -> None:
    routes = Routes()
    for seq in (5, 1, 2):
        routes.deliver_media(*chunk(seq))
    assert routes.counters.lost == {}


def test_the_first_and_the_last_subscription_of_a_topic_are_told_apart() -> None:
    routes = Routes()
    assert routes.add(MicChunk, ignore, None)
    assert not routes.add(MicChunk, ignore, None)
    assert routes.add(MicChunk, ignore, "robot1")
    assert not routes.remove(MicChunk, ignore, None)
    assert routes.remove(MicChunk, ignore, None)
    assert not routes.remove(MicChunk, ignore, None), "it is gone already"
    assert routes.remove(MicChunk, ignore, "robot1")


def test_a_subscription_takes_effect_on_a_topic_that_was_resolved_before() -> None:
    routes, heard = Routes(), []
    routes.deliver_media(*chunk(1))
    routes.add(MicChunk, lambda envelope, blob: heard.append(envelope.seq), "robot1")
    routes.deliver_media(*chunk(2))
    assert heard == [2]
    assert routes.counters.lost == {}


def test_tables_stay_within_their_bounds() -> None:
    routes, outgoing = Routes(), Outgoing("hub")
    for i in range(MAX_ROUTES + 10):
        outgoing.stamp(Envelope(robot=f"robot{i}", body=MicChunk(first_sample=0)))
        routes.deliver_media(*chunk(1, robot=f"robot{i}"))
    for i in range(MAX_SOURCES + 10):
        routes.deliver_media(*chunk(1, src=f"agent{i}"))
    assert len(routes._routes) == len(outgoing._seqs) == MAX_ROUTES
    assert all(len(route.seqs) <= MAX_SOURCES for route in routes._routes.values())


def test_numbers_count_per_topic_and_robot_and_ids_over_all() -> None:
    outgoing = Outgoing("hub")
    sent: list[AnyEnvelope] = [
        Envelope(robot=robot, body=MicChunk(first_sample=0))
        for robot in ("robot1", "robot2", "robot1")
    ]
    for envelope in sent:
        outgoing.stamp(envelope)
    assert [(e.src, e.seq) for e in sent] == [("hub", 1), ("hub", 1), ("hub", 2)]
    assert [e.id for e in sent] == [first_id("hub") + n for n in (1, 2, 3)]


def test_ids_of_two_peers_are_never_near_each_other() -> None:
    ids = sorted(first_id(f"ears-primary-{pid}") for pid in range(1_000))
    assert min(after - before for before, after in itertools.pairwise(ids)) >= 1 << 31
    assert ids[-1] < 1 << 63
