"""The microphone of ``WS /ai/stream``: raw PCM of any format, resampled as it comes."""

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from hub.edge.wespoke.bodies import AudioFormat
from protocols.errors import BadAudio
from protocols.messages.audio import MIC_RATE_HZ

MAX_AUDIO_BYTES = 256 * 1024
"""A larger frame would take the loop from everybody else for too long."""


class Microphone:
    """Raw PCM of one format → mono s16le 16 kHz. Stateful; one per connection."""

    def __init__(self, form: AudioFormat) -> None:
        self._form = form
        self._frame_bytes = form.channels * form.bits_per_sample // 8
        self._resampler = self._new_resampler()

    def check(self, pcm: bytes) -> float:
        """How many seconds ``pcm`` lasts.

        Raises:
            BadAudio: it is more than one frame may have, or no whole frames of sound.
        """
        if len(pcm) > MAX_AUDIO_BYTES:
            raise BadAudio(f"a frame with sound has {MAX_AUDIO_BYTES} bytes at the most")
        if not pcm or len(pcm) % self._frame_bytes:
            raise BadAudio(f"sound of this format has whole frames of {self._frame_bytes} bytes")
        return len(pcm) / (self._frame_bytes * self._form.sample_rate)

    def feed(self, pcm: bytes) -> bytes:
        """What can be told of the sound so far, ``pcm`` included, which ``check`` found good."""
        samples = _samples(pcm, self._form.bits_per_sample)
        if self._form.channels > 1:
            samples = samples.reshape(-1, self._form.channels).mean(axis=1, dtype=np.float32)
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        return _s16(samples)

    def rest(self) -> bytes:
        """What the resampler still holds of an utterance that is over."""
        if self._resampler is None:
            return b""
        rest = self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)
        self._resampler = self._new_resampler()
        return _s16(rest)

    def _new_resampler(self) -> Any:
        rate_hz = self._form.sample_rate
        return soxr.ResampleStream(rate_hz, MIC_RATE_HZ, 1) if rate_hz != MIC_RATE_HZ else None


def _samples(pcm: bytes, bits: int) -> NDArray[np.float32]:
    """The samples of -1 to 1."""
    match bits:
        case 8:
            return (np.frombuffer(pcm, np.uint8).astype(np.float32) - 128.0) / 128.0
        case 16:
            return np.frombuffer(pcm, "<i2").astype(np.float32) / 32_768.0
        case 24:
            wide = np.zeros((len(pcm) // 3, 4), np.uint8)
            wide[:, 1:] = np.frombuffer(pcm, np.uint8).reshape(-1, 3)
            return wide.view("<i4")[:, 0].astype(np.float32) / 2_147_483_648.0
        case _:
            return np.frombuffer(pcm, "<i4").astype(np.float32) / 2_147_483_648.0


def _s16(samples: NDArray[np.float32]) -> bytes:
    """Samples of -1 to 1 as s16le; what is louder is clipped."""
    scaled: NDArray[np.float32] = np.clip(np.rint(samples * 32_768.0), -32_768, 32_767)
    return scaled.astype("<i2").tobytes()
