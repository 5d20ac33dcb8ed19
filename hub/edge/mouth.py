"""How far a robot's mouth is open, as its hub can know it: from the speech that was sent, and from
what the robot says it has played. Pure; times in nanoseconds of the hub's clock.
"""

from collections import deque
from typing import NamedTuple

from protocols.messages.robot import Played, SpeechFrame

WIRE_NS = 20_000_000
"""Until the robot says otherwise, its first sample sounds so long after it was sent."""
_FRAMES = 512
"""More than any wire runs ahead of its loudspeaker."""


class _Part(NamedTuple):
    first_sample: int
    samples: int
    energy: int


class Mouth:
    """Follows one robot's loudspeaker."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._turn = 0
        self._epoch = 0
        self._parts: deque[_Part] = deque(maxlen=_FRAMES)
        self._zero_ns = 0
        """When sample 0 of the turn sounded, or would have."""
        self._held_at: float | None = None

    def speech(self, header: SpeechFrame, now_ns: int) -> None:
        """A frame was sent."""
        if header.turn < self._turn:
            return
        if header.turn != self._turn:
            self._turn = header.turn
            self._parts.clear()
            self._held_at = None
            self._zero_ns = now_ns + WIRE_NS - self._ns(header.first_sample)
        self._parts.append(_Part(header.first_sample, header.samples, header.energy))

    def played(self, report: Played, now_ns: int) -> None:
        """The robot tells how far its loudspeaker is."""
        if report.turn != self._turn:
            return
        if self._held_at is not None:
            self._held_at = report.samples
        else:
            self._zero_ns = now_ns - self._ns(report.samples)

    def hold(self, now_ns: int) -> None:
        """The robot pauses its buffer."""
        if self._held_at is None:
            self._held_at = self._sample(now_ns)

    def release(self, now_ns: int) -> None:
        """The robot goes on from where it was held."""
        if self._held_at is not None:
            self._zero_ns = now_ns - self._ns(self._held_at)
            self._held_at = None

    def flush(self, turn: int) -> None:
        """The robot throws away what stands at or below ``turn``."""
        if self._turn <= turn:
            self._parts.clear()
            self._held_at = None

    def energy(self, now_ns: int) -> int | None:
        """Loudness of what sounds now, 0 to 255; None while nothing does."""
        if self._held_at is not None:
            return None
        at = self._sample(now_ns)
        while self._parts and self._parts[0].first_sample + self._parts[0].samples <= at:
            self._parts.popleft()
        if not self._parts or self._parts[0].first_sample > at:
            return None
        return self._parts[0].energy

    def _sample(self, now_ns: int) -> float:
        return (now_ns - self._zero_ns) * self._rate_hz / 1e9

    def _ns(self, sample: float) -> int:
        return round(sample * 1e9 / self._rate_hz)
