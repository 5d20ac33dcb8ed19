"""The audio of a speak job, joined over two lanes: chunks on media, its end on control. Pure."""

from collections import deque

BYTES_PER_SAMPLE = 2
AHEAD_MS = 4_000
"""How far the agent may be ahead of the reader."""
_REGRANT_MS = 500


class SpeechJoin:
    """Chunks in order, until all the samples that ``job.done`` named are there.

    The end may arrive before the last chunks, since control overtakes media; a chunk may be lost.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._chunks: deque[bytes] = deque()
        self._position = 0
        self._read_samples = 0
        self._granted_ms = 0
        self._total: int | None = None
        self.lost_samples = 0
        self.refused_samples = 0

    @property
    def complete(self) -> bool:
        """Everything that was announced has come."""
        return self._total is not None and self._position >= self._total

    @property
    def ending(self) -> bool:
        """The end was announced; what is missing is on its way or lost."""
        return self._total is not None

    def feed(self, first_sample: int, pcm: bytes) -> bool:
        """Take a chunk; False if it came before, or lies far beyond what was granted."""
        samples = len(pcm) // BYTES_PER_SAMPLE
        limit = (self._granted_ms + AHEAD_MS) * self._rate_hz // 1000
        if first_sample < self._position or first_sample + samples > limit:
            self.refused_samples += samples
            return False
        self.lost_samples += first_sample - self._position
        self._position = first_sample + samples
        self._chunks.append(pcm)
        return True

    def end(self, samples: int) -> None:
        """The agent says that the whole speech has ``samples`` samples."""
        self._total = samples

    def give_up(self) -> None:
        """What is still missing will not come."""
        if self._total is not None and self._position < self._total:
            self.lost_samples += self._total - self._position
            self._position = self._total

    def read(self) -> bytes:
        """All that can be read now; empty if nothing can."""
        pcm = b"".join(self._chunks)
        self._chunks.clear()
        self._read_samples += len(pcm) // BYTES_PER_SAMPLE
        return pcm

    def grant(self) -> int | None:
        """The credit to send now, in absolute milliseconds; None while the last one does."""
        until_ms = self._read_samples * 1000 // self._rate_hz + AHEAD_MS
        if until_ms - self._granted_ms < _REGRANT_MS:
            return None
        self._granted_ms = until_ms
        return until_ms
