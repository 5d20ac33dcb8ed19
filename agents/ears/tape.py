"""The newest samples of one microphone, addressed by their position on the capture clock."""

SAMPLE_BYTES = 2


class Tape:
    """A contiguous stretch of mono s16le sound: samples ``first`` to ``end`` (exclusive)."""

    __slots__ = ("_pcm", "end", "first")

    def __init__(self, first: int) -> None:
        self.first = self.end = first
        self._pcm = bytearray()

    def append(self, pcm: bytes) -> None:
        """Add whole samples that follow ``end``."""
        self._pcm += pcm
        self.end += len(pcm) // SAMPLE_BYTES

    def cut(self, first: int, end: int) -> bytes:
        """A copy of the samples ``first`` to ``end``, as far as they are held."""
        start = max(first - self.first, 0) * SAMPLE_BYTES
        return bytes(self._pcm[start : max(end - self.first, 0) * SAMPLE_BYTES])

    def forget(self, before: int) -> None:
        """Free what lies before sample ``before``."""
        count = min(before, self.end) - self.first
        if count > 0:
            del self._pcm[: count * SAMPLE_BYTES]
            self.first += count
