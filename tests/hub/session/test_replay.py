"""What a robot missed, sent again: by number, within bounds, and only what still makes sense."""

from hub.session.replay import Ring, is_numbered
from protocols.codecs.robot import encode_text
from protocols.messages import robot
from protocols.messages.turn import Outcome

MS = 1_000_000


def act(name: str, turn: int = 1, ttl_ms: int = 2_000) -> robot.Action:
    return robot.Action(
        id=name, epoch=1, turn=turn, action="skill", name="patrol_drift", ttl_ms=ttl_ms
    )


def ended(turn: int) -> robot.TurnEnd:
    return robot.TurnEnd(turn=turn, outcome=Outcome.DONE)


def test_i3_numbers_have_no_gap_and_what_was_missed_keeps_its_own() -> None:
    ring = Ring()
    told = [ring.add(ended(turn), 0) for turn in range(1, 6)]
    assert [m.order for m in told] == [1, 2, 3, 4, 5]
    missed = ring.since(2, 0)
    assert missed is not None
    assert missed.messages == told[2:]
    assert ring.since(5, 0).messages == []  # type: ignore[union-attr]


def test_a_number_that_was_never_given_is_out_of_reach() -> None:
    ring = Ring()
    assert ring.since(0, 0) is not None
    ring.add(ended(1), 0)
    assert ring.since(2, 0) is None


def test_i6_the_ring_keeps_within_its_bytes_and_says_when_it_does_not_reach_back() -> None:
    ring = Ring(bound_bytes=1_000)
    told = [ring.add(ended(turn), 0) for turn in range(1, 101)]
    reach = next(n for n in range(100) if ring.since(n, 0) is not None)
    assert 0 < reach < 100
    assert sum(len(encode_text(m)) for m in told[reach:]) <= 1_000  # type: ignore[arg-type]
    assert ring.since(reach - 1, 0) is None


def test_an_action_comes_again_with_what_is_left_of_its_ttl_and_not_after_it() -> None:
    ring = Ring()
    ring.add(act("old", ttl_ms=1_000), 0)
    ring.add(act("new", ttl_ms=2_000), 500 * MS)
    missed = ring.since(0, 1_000 * MS)
    assert missed is not None
    [action] = missed.messages
    assert (action.id, action.ttl_ms, action.order) == ("new", 1_500, 2)  # type: ignore[attr-defined]
    assert missed.left_out == {"expired": 1}


def test_nothing_comes_again_of_a_turn_that_was_cut_meanwhile() -> None:
    ring = Ring()
    ring.add(robot.Emotion(turn=4, emotion="happy", intensity=1.0), 0)
    ring.add(act("cut", turn=4), 0)
    ring.add(robot.Flush(epoch=1, turn=4), 0)
    ring.add(act("next", turn=5), 0)
    missed = ring.since(0, 0)
    assert missed is not None
    assert [type(m) for m in missed.messages] == [robot.Flush, robot.Action]
    assert missed.left_out == {"fenced": 2}


def test_only_what_must_not_be_missed_is_numbered() -> None:
    assert is_numbered(robot.Transcript(utterance=1, text="hello", final=True))
    assert not is_numbered(robot.Transcript(utterance=1, text="hel", final=False))
    for passing in (
        robot.Duck(turn=1),
        robot.Hold(turn=1),
        robot.Release(turn=1),
        robot.Ping(t0_ns=1),
    ):
        assert not is_numbered(passing)
