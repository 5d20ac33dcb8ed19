"""Ends a text at the first of several words, for engines that cannot do so themselves."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing


def until(pieces: Generator[str, None, None], stop: Sequence[str]) -> Iterator[str]:
    """``pieces`` up to the first of the texts in ``stop``, which may be cut over several pieces; what
    could still become one is held back. An empty ``stop`` changes nothing."""
    wanted = [text for text in stop if text]
    held = ""
    with closing(pieces):
        for piece in pieces:
            held += piece
            found = [at for text in wanted if (at := held.find(text)) >= 0]
            if found:
                yield held[: min(found)]
                return
            sure = len(held) - max((_begun(held, text) for text in wanted), default=0)
            yield held[:sure]
            held = held[sure:]
    yield held


def _begun(text: str, stop: str) -> int:
    """How many of the last characters of ``text`` are the first ones of ``stop``."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
