"""Speech at the rate that a robot asked for."""

from typing import Any


class Resampler:
    """One phrase from ``from_hz`` to ``to_hz``, streamed; mono s16le in and out."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream: Any = None
        if from_hz != to_hz:
            import soxr

            self._stream = soxr.ResampleStream(from_hz, to_hz, num_channels=1, dtype="int16")

    def feed(self, pcm: bytes) -> bytes:
        """What can be given out after ``pcm``; the filter holds a little back."""
        return self._run(pcm, last=False)

    def finish(self) -> bytes:
        """What was held back."""
        return self._run(b"", last=True)

    def _run(self, pcm: bytes, last: bool) -> bytes:
        if self._stream is None:
            return pcm
        import numpy as np  # which soxr has loaded already

        out = self._stream.resample_chunk(np.frombuffer(pcm, dtype="<i2"), last=last)
        return bytes(out.tobytes())
