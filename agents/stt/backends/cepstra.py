"""The voice of a speaker as far as a recogniser of cepstra must know it."""

from collections.abc import Sequence
from typing import NamedTuple, Self

MEMORY_BYTES = 32_000 * 30
"""Weight of all that was heard before: a speaker or room that changes is followed in some 30 s."""


class Voice(NamedTuple):
    """The cepstral mean over the sound heard of a speaker; empty for a stranger."""

    mean: tuple[float, ...] = ()
    heard_bytes: int = 0

    def joined(self, other: "Voice") -> "Voice":
        """The mean over the sound of both, by length; what was known longer is ``self``."""
        if not self.mean or not other.mean:
            return other if other.mean else self
        known = min(self.heard_bytes, MEMORY_BYTES)
        heard = known + other.heard_bytes
        pairs = zip(self.mean, other.mean, strict=True)
        mean = tuple((a * known + b * other.heard_bytes) / heard for a, b in pairs)
        return Voice(mean, heard)

    def packed(self) -> list[float]:
        """For a wire: ``heard_bytes`` and then the mean."""
        return [self.heard_bytes, *self.mean]

    @classmethod
    def unpacked(cls, packed: Sequence[float]) -> Self:
        """The opposite of :meth:`packed`."""
        heard, *mean = packed
        return cls(tuple(mean), int(heard))
