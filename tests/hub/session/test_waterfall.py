"""The segments of a turn add up to its latency, whatever was stamped and in which order."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.session.waterfall import SEGMENT_NAMES, Stage, segments
from protocols.codecs.robot import decode_to_robot, encode_text
from protocols.messages.robot import TurnEnd
from protocols.messages.turn import Outcome, Segment

STAGES = st.dictionaries(
    st.sampled_from(Stage),
    st.one_of(st.integers(0, 10**18), st.integers(10**15, 10**15 + 10**7)),
)


def total_us(found: tuple[Segment, ...]) -> int:
    """Their sum in the last unit that is reported."""
    return sum(round(segment.ms * 1000) for segment in found)


@given(STAGES)
def test_the_sum_is_exactly_the_time_from_the_first_stage_to_the_last(
    stages: dict[Stage, int],
) -> None:
    found = segments(stages)
    names = [SEGMENT_NAMES[stage] for stage in sorted(stages)[1:]]
    assert [segment.name for segment in found] == names
    assert all(segment.ms >= 0 for segment in found)
    if stages:
        first = stages[min(stages)]
        # A stage before its predecessor counts as simultaneous, so the last is the latest.
        assert total_us(found) == max(stages.values(), default=0) // 1000 - first // 1000 or (
            max(stages.values()) < first
        )


@given(STAGES)
def test_it_still_is_when_a_turns_end_has_crossed_the_wire(stages: dict[Stage, int]) -> None:
    sent = TurnEnd(turn=1, outcome=Outcome.DONE, segments=segments(stages))
    came = decode_to_robot(encode_text(sent))
    assert isinstance(came, TurnEnd)
    assert came.segments == sent.segments
    assert total_us(came.segments) == total_us(sent.segments)


def test_every_segment_begins_where_the_one_before_ends() -> None:
    stages = {stage: 10**15 + 1_234_567 * int(stage) for stage in Stage}
    found = segments(stages)
    assert [s.name for s in found] == list(SEGMENT_NAMES.values())
    at_us = [stages[stage] // 1000 for stage in Stage]
    assert [round(s.ms * 1000) for s in found] == [b - a for a, b in pairwise(at_us)]
