"""What a bad network does to one direction of a connection, as data, and when bytes get through.

A lost packet shows to TCP as a stall, since everything behind it waits for the retransmission; so
nothing is ever dropped, doubled or reordered here. Pure.
"""

import random
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Impairment:
    """Every segment takes ``delay_ms`` and up to ``jitter_ms`` more; with the probability ``stall``
    it is lost once, and comes by a time between the two ``stall_ms`` later. ``bytes_per_s`` is the
    width of the link, 0 for any. While ``paused`` nothing leaves."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    stall: float = 0.0
    stall_ms: tuple[float, float] = (200.0, 1_000.0)
    bytes_per_s: float = 0.0
    paused: bool = False


CLEAR = Impairment()


class Timetable:
    """When the segments of one direction of a connection come out: in the order they went in."""

    def __init__(self, seed: int | str) -> None:
        self.stalls = 0
        self._random = random.Random(seed)
        self._free_s = 0.0
        self._last_s = 0.0

    def due_s(self, impairment: Impairment, size_bytes: int, now_s: float) -> float:
        """When a segment that enters at ``now_s`` comes out, on the same clock."""
        # As many draws for every segment: a changed probability changes no other segment's fate.
        wobble, fate, length = (self._random.random() for _ in range(3))
        sent_s = now_s
        if impairment.bytes_per_s:
            self._free_s = max(self._free_s, now_s) + size_bytes / impairment.bytes_per_s
            sent_s = self._free_s
        late_ms = impairment.delay_ms + wobble * impairment.jitter_ms
        if fate < impairment.stall:
            self.stalls += 1
            shortest, longest = impairment.stall_ms
            late_ms += shortest + length * (longest - shortest)
        self._last_s = max(self._last_s, sent_s + late_ms / 1_000)
        return self._last_s
