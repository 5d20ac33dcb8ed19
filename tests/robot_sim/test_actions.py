"""Actions: each at most once, in order, never after the ttl, never below the fence."""

from hypothesis import given
from hypothesis import strategies as st

from protocols.identity import Stamp
from protocols.messages.robot import Action, ActionResult, Capabilities
from robot_sim.actions import Actions, Begun, Step

MS = 1_000_000


def spin(name: str = "a", turn: int = 1, ttl_ms: int = 2000) -> Action:
    return Action(id=name, epoch=1, turn=turn, action="gesture", name="spin", ttl_ms=ttl_ms)


def begun(steps: list[Step]) -> list[str]:
    return [step.action.id for step in steps if isinstance(step, Begun)]


def results(steps: list[Step]) -> list[tuple[str, bool, str]]:
    return [(s.id, s.ok, s.detail) for s in steps if isinstance(s, ActionResult)]


def test_one_action_runs_at_a_time_and_is_answered_when_done() -> None:
    body = Actions(Capabilities())
    assert begun(body.receive(spin("a"), 0)) == ["a"]
    assert body.receive(spin("b"), 0) == []
    steps = body.advance(500 * MS)
    assert results(steps) == [("a", True, "")]
    assert begun(steps) == ["b"]


def test_an_action_that_waited_past_its_ttl_is_not_begun() -> None:
    body = Actions(Capabilities())
    body.receive(spin("a"), 0)
    body.receive(spin("b", ttl_ms=500), 0)
    steps = body.advance(500 * MS)
    assert results(steps) == [("a", True, ""), ("b", False, "expired")]
    assert begun(steps) == []


def test_a_repeated_id_is_answered_again_but_not_begun_again() -> None:
    body = Actions(Capabilities())
    body.receive(spin("a"), 0)
    assert body.receive(spin("a"), 0) == []
    body.advance(500 * MS)
    assert results(body.receive(spin("a"), 600 * MS)) == [("a", True, "")]


def test_flushed_actions_are_given_up_and_later_ones_refused() -> None:
    body = Actions(Capabilities())
    body.receive(spin("a", turn=1), 0)
    body.receive(spin("b", turn=2), 0)
    body.receive(spin("c", turn=3), 0)
    assert results(body.flush(Stamp(1, 2))) == [("b", False, "flushed")]
    assert results(body.receive(spin("d", turn=2), 0)) == [("d", False, "flushed")]
    assert begun(body.advance(500 * MS)) == ["c"]


def test_what_the_robot_cannot_do_is_refused_by_name() -> None:
    body = Actions(Capabilities(skills=("patrol_drift",), gestures=("nod",)))
    jump = Action(id="1", epoch=1, turn=1, action="jump")
    skill = Action(id="2", epoch=1, turn=1, action="skill", name="scan_for_target")
    assert results(body.receive(jump, 0)) == [("1", False, "unknown action 'jump'")]
    assert results(body.receive(skill, 0)) == [("2", False, "unknown skill 'scan_for_target'")]
    assert results(body.receive(spin("3"), 0)) == [("3", False, "unknown gesture 'spin'")]


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.integers(1, 4), st.integers(0, 900), st.booleans()),
        max_size=40,
    )
)
def test_no_action_begins_twice_or_late_or_below_the_fence(
    script: list[tuple[str, int, int, bool]],
) -> None:
    body = Actions(Capabilities())
    now, fence = 0, 0
    received: dict[str, tuple[int, int]] = {}
    ran: list[str] = []
    for name, turn, wait_ms, flush in script:
        if flush:
            fence = max(fence, turn)
            steps = body.flush(Stamp(1, turn))
        else:
            received.setdefault(name, (now, turn))
            steps = body.receive(spin(name, turn, ttl_ms=600), now)
        now += wait_ms * MS
        for id_ in begun([*steps, *body.advance(now)]):
            assert now < received[id_][0] + 600 * MS + wait_ms * MS
            assert received[id_][1] > fence
            ran.append(id_)
    assert len(ran) == len(set(ran))
