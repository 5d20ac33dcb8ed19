"""The microphone of a simulated robot: recordings and a live source over a bed of light noise.

It is driven by edges 20 ms apart on the device's clock and never waits.
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from robot_sim.speaker import Tape
from robot_sim.wav import RATE_HZ, Pcm

CHUNK_MS = 20
CHUNK_SAMPLES = RATE_HZ * CHUNK_MS // 1000
_LIVE_BOUND_SAMPLES = 2 * RATE_HZ
DEFAULT_NOISE_DBFS = -58.0


class MicChunk(NamedTuple):
    """20 ms of sound: ``first_sample`` on the capture clock, and what the loudspeaker was at."""

    first_sample: int
    playout_sample: int
    pcm: bytes


class Spoken(NamedTuple):
    """A recording began (``began``) or ended in the microphone."""

    label: str
    began: bool


class Microphone:
    """Mixes what the user says with noise of ``noise_dbfs`` (RMS below full scale), seeded."""

    def __init__(
        self, noise_dbfs: float = DEFAULT_NOISE_DBFS, seed: int = 1, tape: Tape | None = None
    ) -> None:
        self.live_dropped = 0
        """Samples of the live source that were dropped because nobody took them in time."""
        self._random = np.random.default_rng(seed)
        self._noise = 32768 * 10 ** (noise_dbfs / 20)
        self._tape = tape
        self._queue: deque[tuple[str, Pcm]] = deque()
        self._begun = False
        self._live: deque[Pcm] = deque()
        self._live_samples = 0
        self.captured = 0
        """Samples since the device was switched on."""

    @property
    def speaking(self) -> bool:
        """Whether a recording is being heard or waits to be."""
        return bool(self._queue)

    def say(self, pcm: Pcm, label: str = "") -> None:
        """Have the user say ``pcm`` after what is being said."""
        if len(pcm):
            self._queue.append((label, pcm))

    def hear(self, pcm: Pcm) -> None:
        """Mix in sound of a real microphone; at most two seconds of it wait."""
        self._live.append(pcm)
        self._live_samples += len(pcm)
        while self._live_samples > _LIVE_BOUND_SAMPLES:
            dropped = len(self._live.popleft())
            self._live_samples -= dropped
            self.live_dropped += dropped

    def capture(self, playout_sample: int) -> tuple[MicChunk, list[Spoken]]:
        """The next 20 ms. ``playout_sample`` was on the loudspeaker when they began, -1: none."""
        mixed = self._random.normal(0.0, self._noise, CHUNK_SAMPLES)
        spoken = self._mix_recordings(mixed)
        self._mix_live(mixed)
        pcm = np.clip(np.round(mixed), -32768, 32767).astype("<i2").tobytes()
        chunk = MicChunk(self.captured, playout_sample, pcm)
        self.captured += CHUNK_SAMPLES
        if self._tape is not None:
            self._tape(pcm)
        return chunk, spoken

    def _mix_recordings(self, mixed: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[Spoken]:
        spoken: list[Spoken] = []
        at = 0
        while self._queue and at < CHUNK_SAMPLES:
            label, pcm = self._queue.popleft()
            if not self._begun:
                spoken.append(Spoken(label, began=True))
            now, rest = pcm[: CHUNK_SAMPLES - at], pcm[CHUNK_SAMPLES - at :]
            mixed[at : at + len(now)] += now
            at += len(now)
            self._begun = bool(len(rest))
            if self._begun:
                self._queue.appendleft((label, rest))
            else:
                spoken.append(Spoken(label, began=False))
        return spoken

    def _mix_live(self, mixed: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
        at = 0
        while self._live and at < CHUNK_SAMPLES:
            pcm = self._live.popleft()
            now, rest = pcm[: CHUNK_SAMPLES - at], pcm[CHUNK_SAMPLES - at :]
            mixed[at : at + len(now)] += now
            at += len(now)
            self._live_samples -= len(now)
            if len(rest):
                self._live.appendleft(rest)
