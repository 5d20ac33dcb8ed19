"""How loud a robot's microphone and voice were, in steps of 20 ms: what a waveform is drawn from. Of
the sound itself nothing is kept.
"""

import math
from array import array
from collections import deque

from protocols.messages.audio import MIC_RATE_HZ

STEP_MS = 20
MOST_STEPS = 100
"""Steps that wait for an observer; of more the oldest are lost, and counted."""
QUIET_DB = -60.0
"""What is as quiet as this, or quieter, is 0; full scale is 255."""
_EVERY = 4
_STEP_BYTES = 2 * MIC_RATE_HZ * STEP_MS // 1000


class Waves:
    """Of one robot, for one observer."""

    def __init__(self, most: int = MOST_STEPS) -> None:
        self._mic: deque[int] = deque(maxlen=most)
        self._voice: deque[int] = deque(maxlen=most)
        self._rest = b""
        self._spoken_ms = 0.0
        """Of the voice's step that is not whole yet; and how loud it is:"""
        self._loudest = 0
        self.lost = 0
        """Steps of both that nobody was told, from the beginning on."""

    def __bool__(self) -> bool:
        return bool(self._mic or self._voice)

    def hear(self, pcm: bytes) -> None:
        """A chunk of the microphone: mono s16le 16 kHz, of any length. What is no whole step waits
        for the next chunk."""
        heard = self._rest + pcm[: len(pcm) & ~1]
        whole = len(heard) // _STEP_BYTES * _STEP_BYTES
        self._rest = heard[whole:]
        for at in range(0, whole, _STEP_BYTES):
            step = array("h", heard[at : at + _STEP_BYTES])
            self._add(self._mic, loudness(step[::_EVERY]))

    def speak(self, energy: int, ms: float) -> None:
        """A frame of the robot's voice, of any length, whose energy the voice has told; wires
        differ in how long theirs are. A step is as loud as what is loudest in it."""
        self._spoken_ms += ms
        self._loudest = max(self._loudest, energy)
        while self._spoken_ms >= STEP_MS:
            self._spoken_ms -= STEP_MS
            self._add(self._voice, self._loudest)
            self._loudest = energy if self._spoken_ms else 0

    def _add(self, steps: deque[int], loud: int) -> None:
        self.lost += len(steps) == steps.maxlen
        steps.append(loud)

    def take(self) -> tuple[list[int], list[int]]:
        """Steps of the microphone and of the voice since the last time, the oldest first."""
        found = list(self._mic), list(self._voice)
        self._mic.clear()
        self._voice.clear()
        return found


def loudness(samples: "array[int]") -> int:
    """0 to 255, even in dB from ``QUIET_DB`` to full scale."""
    rms = math.hypot(*samples) / math.sqrt(len(samples)) if samples else 0.0
    if rms < 1.0:
        return 0
    db = 20 * math.log10(rms / 32768)
    return round(255 * max(0.0, 1 - db / QUIET_DB))
