"""An observer's view of the facts: no gap, nothing twice, whatever its socket loses."""

from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.bus.follower import MAX_HELD, Follower, Need
from hub.broker.ledger import Ledger
from protocols.bus import Snapshot
from protocols.envelope import AnyEnvelope, Envelope
from protocols.messages.face import Conversation, FaceChanged
from protocols.messages.voice import VoiceStarted

ROBOT = "robot1"


def fact(order: int, boot: int = 1) -> AnyEnvelope:
    body = VoiceStarted(utterance=order, first_sample=order)
    return Envelope(robot=ROBOT, boot=boot, order=order, body=body)


def follow(follower: Follower, *orders: int) -> list[tuple[bool, Need | None]]:
    return [follower.fact(fact(order)) for order in orders]


def test_an_observer_begins_with_the_first_fact_it_sees() -> None:
    assert follow(Follower(), 17, 18) == [(True, None), (True, None)]


def test_what_came_before_is_not_handed_out_again() -> None:
    assert follow(Follower(), 5, 5, 4) == [(True, None), (False, None), (False, None)]


def test_facts_after_a_gap_wait_for_the_missing_ones() -> None:
    follower = Follower()
    need = Need(ROBOT, 1, 1)
    assert follow(follower, 1, 3, 4) == [(True, None), (False, need), (False, None)]
    ready, further = follower.replayed(need, (fact(2), fact(3)))
    assert [e.order for e in ready] == [2, 3, 4]
    assert further is None
    assert follow(follower, 5) == [(True, None)]


def test_a_second_gap_behind_the_first_is_asked_for_next() -> None:
    follower = Follower()
    follow(follower, 1, 3, 6)
    ready, further = follower.replayed(Need(ROBOT, 1, 1), (fact(2), fact(3), fact(4)))
    assert [e.order for e in ready] == [2, 3, 4]
    assert further == Need(ROBOT, 1, 4)


def test_what_the_ring_no_longer_holds_comes_as_a_snapshot() -> None:
    follower = Follower()
    follow(follower, 1, 9)
    ready, further = follower.replayed(Need(ROBOT, 1, 1), None)
    assert (ready, further) == ([], Need(ROBOT, 1, -1))
    value: AnyEnvelope = Envelope(
        robot=ROBOT, boot=1, order=7, body=FaceChanged(conversation=Conversation.IDLE)
    )
    ready, further = follower.restored(ROBOT, Snapshot(1, 8, (value,)))
    assert [e.order for e in ready] == [7, 9]
    assert further is None


def test_another_run_of_the_hub_begins_with_a_snapshot() -> None:
    follower = Follower()
    follow(follower, 5)
    assert follower.fact(fact(2, boot=2)) == (False, Need(ROBOT, 2, -1))
    ready, _ = follower.restored(ROBOT, Snapshot(2, 1, ()))
    assert [(e.boot, e.order) for e in ready] == [(2, 2)]


def test_the_loss_of_the_last_fact_shows_by_the_tail() -> None:
    follower = Follower()
    follow(follower, 5)
    assert follower.tail(ROBOT, 1, 5) is None
    assert follower.tail(ROBOT, 1, 6) == Need(ROBOT, 1, 5)
    assert follower.tail(ROBOT, 1, 7) is None, "it is asked for already"
    assert follower.tail("stranger", 1, 7) is None


def test_a_question_that_failed_is_asked_again() -> None:
    follower = Follower()
    follow(follower, 1, 3)
    follower.failed(ROBOT)
    assert follow(follower, 4) == [(False, Need(ROBOT, 1, 1))]


def test_what_waits_is_bounded_and_ends_in_a_snapshot() -> None:
    follower = Follower()
    follow(follower, 1, *range(3, MAX_HELD + 10))
    _, further = follower.replayed(Need(ROBOT, 1, 1), (fact(2),))
    assert further == Need(ROBOT, 1, -1)
    ready, _ = follower.restored(ROBOT, Snapshot(1, MAX_HELD + 9, ()))
    assert ready == []
    assert follow(follower, MAX_HELD + 10) == [(True, None)]


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.data())
def test_every_observer_sees_the_same_sequence_after_recovery(
    lost: list[bool], data: st.DataObject
) -> None:
    """Law I3: facts are lost at random, answers come at random times; at the end all are there."""
    ledger, follower = Ledger(1), Follower()
    handed: list[int] = []
    asked: list[Need] = []

    def take(ready: list[AnyEnvelope], need: Need | None) -> None:
        handed.extend(e.order for e in ready)
        if need is not None:
            asked.append(need)

    def answer() -> None:
        need = asked.pop(0)
        take(*follower.replayed(need, ledger.replay(need.robot, need.boot, need.after)))

    for number, is_lost in enumerate([False, *lost], start=1):
        envelope = fact(0)
        envelope.id, envelope.src = number, "ears"
        ledger.accept(envelope, 10, now_ns=0)
        if not is_lost:
            now, need = follower.fact(envelope)
            take([envelope] if now else [], need)
        if data.draw(st.booleans()) and asked:
            answer()
    need = follower.tail(ROBOT, 1, ledger.order(ROBOT))
    take([], need)
    while asked:
        answer()
    if (need := follower.tail(ROBOT, 1, ledger.order(ROBOT))) is not None:
        asked.append(need)
        answer()
    assert handed == list(range(1, len(lost) + 2))
