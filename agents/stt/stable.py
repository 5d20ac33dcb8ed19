"""Which words of a growing transcript will stay: those that two decodings in a row agree on.

This is LocalAgreement-2 (Liu et al. 2020, "Low-Latency Sequence-to-Sequence Speech Recognition
and Translation by Partial Hypothesis Selection"), on words instead of tokens.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """Words that are committed, and the words of the last decoding; both from the start of the
    utterance. What is committed never changes."""

    committed: tuple[str, ...] = ()
    last: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The transcript so far: what is committed, then what the last decoding adds to it."""
        return " ".join((*self.committed, *self.last[len(self.committed) :]))

    @property
    def stable_chars(self) -> int:
        """Length of the committed part of :attr:`text`."""
        return len(" ".join(self.committed))


def agree(before: Agreement, decoded: str) -> Agreement:
    """Take another decoding of the utterance, which is longer now."""
    words = tuple(decoded.split())
    agreed = common_prefix(before.last, words)
    committed = before.committed
    if len(agreed) > len(committed):
        committed = (*committed, *agreed[len(committed) :])
    return Agreement(committed, words)


def settle(before: Agreement, decoded: str) -> str:
    """The final transcript: the last decoding, without taking back what is committed."""
    return Agreement(before.committed, tuple(decoded.split())).text


def common_prefix(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The words both begin with; case and punctuation do not tell words apart."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if _plain(a) != _plain(b):
            break
        length += 1
    return other[:length]


def _plain(word: str) -> str:
    return "".join(c for c in word.lower() if c.isalnum()) or word
