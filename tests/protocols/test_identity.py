"""Robot ids and fences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadIdentity
from protocols.identity import NOTHING_FENCED, Fence, Stamp, checked_robot_id
from tests.protocols.strategies import robots

stamps = st.builds(Stamp, st.integers(0, 5), st.integers(0, 20))


@given(robots)
def test_letters_digits_dots_dashes_and_underscores_name_a_robot(robot: str) -> None:
    assert checked_robot_id(robot) == robot


@pytest.mark.parametrize(
    "text", ["", "a/b", "a b", "robot\n", "röbot", "x" * 65, "x" * 300, "../etc", "a\x00", "１"]
)
def test_anything_else_does_not(text: str) -> None:
    with pytest.raises(BadIdentity) as refusal:
        checked_robot_id(text)
    assert len(str(refusal.value)) < 250, "an error does not repeat 300 characters"


@given(st.lists(stamps))
def test_a_fence_only_rises(raises: list[Stamp]) -> None:
    fence = Fence()
    for stamp in raises:
        before = fence.at
        assert fence.raise_to(stamp) == (stamp > before)
        assert fence.at == max(before, stamp)
    assert fence.at == max([NOTHING_FENCED, *raises])


@given(stamps, st.integers(0, 30))
def test_a_turn_at_or_below_the_fence_is_stale_and_no_turn_never_is(at: Stamp, turn: int) -> None:
    assert Fence(at).is_stale(turn) == (0 < turn <= at.turn)
