"""Where the time of a turn went: stages in order, and segments that add up exactly."""

from collections.abc import Mapping
from enum import IntEnum

from protocols.messages.turn import Segment


class Stage(IntEnum):
    """Moments of a turn, in the order in which they happen; ``SIGHT`` only where it looked."""

    SPEECH_END = 0
    ENDPOINT = 1
    TRANSCRIPT = 2
    SIGHT = 3
    FIRST_TOKEN = 4
    FIRST_PHRASE = 5
    FIRST_SAMPLE_MADE = 6
    FIRST_BYTE_SENT = 7
    FIRST_SAMPLE_PLAYED = 8


SEGMENT_NAMES = {
    Stage.ENDPOINT: "endpointing",
    Stage.TRANSCRIPT: "transcript",
    Stage.SIGHT: "sight",
    Stage.FIRST_TOKEN: "first_token",
    Stage.FIRST_PHRASE: "first_phrase",
    Stage.FIRST_SAMPLE_MADE: "first_sample_made",
    Stage.FIRST_BYTE_SENT: "first_byte_sent",
    Stage.FIRST_SAMPLE_PLAYED: "first_sample_played",
}


def segments(stages: Mapping[Stage, int]) -> tuple[Segment, ...]:
    """Durations between the stages that were reached, in milliseconds.

    ``stages`` are nanoseconds of the hub's clock. A stage that is stamped before its predecessor
    (another process's clock reading) counts as simultaneous. The values are multiples of 1 µs
    whose sum is exactly the time from the first stage to the last.
    """
    reached = sorted(stages)
    if not reached:
        return ()
    at = stages[reached[0]]
    found: list[Segment] = []
    for stage in reached[1:]:
        then = max(at, stages[stage])
        found.append(Segment(SEGMENT_NAMES[stage], (then // 1000 - at // 1000) / 1000))
        at = then
    return tuple(found)
