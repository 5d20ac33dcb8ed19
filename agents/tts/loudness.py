"""How loud speech is, for the face's mouth: 0 to 255, quick to rise and slow to fall."""

import math
from array import array

ATTACK, RELEASE = 0.55, 0.25
"""Share of the way to a new value that is gone at once, upwards and downwards."""
FULL_SCALE = 220.0
"""Energy of a signal whose RMS is full scale; the faces in use are tuned to it."""


_EVERY = 8
"""Every eighth sample tells the energy of a chunk as well as all of them do; numpy would too, for
13 MiB in every voice's process."""


_UNITY = 1 << 12


def quieter(pcm: bytes, volume: float) -> bytes:
    """``pcm`` (mono s16le) times ``volume``, 0 to 1; outside of that it is taken for the nearest."""
    factor = round(min(1.0, volume if volume > 0 else 0.0) * _UNITY)
    if factor == _UNITY:
        return pcm
    return array("h", (sample * factor >> 12 for sample in array("h", pcm))).tobytes()


class Loudness:
    """Energy of one response, chunk by chunk."""

    def __init__(self) -> None:
        self._level = 0.0

    def of(self, pcm: bytes) -> int:
        """Energy after the chunk ``pcm`` (mono s16le)."""
        samples = array("h", pcm)[::_EVERY]
        rms = math.hypot(*samples) / math.sqrt(len(samples)) if samples else 0.0
        target = min(255.0, rms / 32768.0 * FULL_SCALE)
        share = ATTACK if target > self._level else RELEASE
        self._level += (target - self._level) * share
        return round(self._level)
