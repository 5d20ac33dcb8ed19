"""How sure a Whisper is of what it wrote, and whether anybody spoke at all."""

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

from agents.stt.backends.base import Transcript

NO_SPEECH = 0.6
"""From here on the model takes a stretch for silence; that alone drops it only where its words are
improbable too (Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision",
section 4.5)."""
IMPROBABLE = -1.0
"""Mean logarithm of the probability of its tokens at which a stretch's words are improbable."""
SILENCE = 0.9
"""From here on a stretch is dropped however probable its words are: what a Whisper invents for
silence ("Thank you.") is probable, that is how it came to write it."""


class Segment(NamedTuple):
    """A stretch of a transcript, as Whispers report it."""

    text: str
    tokens: int
    avg_logprob: float
    no_speech_prob: float = 0.0


def is_silence(segment: Segment) -> bool:
    """Whether nobody spoke in the stretch, as far as the model knows."""
    if segment.no_speech_prob >= SILENCE:
        return True
    return segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < IMPROBABLE


def transcript_of(segments: Sequence[Segment], language: str) -> Transcript:
    """The words of what was no silence, and as confidence the geometric mean of the probabilities
    of their tokens; 0 where no word is left."""
    spoken = [segment for segment in segments if segment.text.strip() and not is_silence(segment)]
    if not spoken:
        return Transcript("", language, 0.0)
    tokens = sum(max(segment.tokens, 1) for segment in spoken)
    logprob = sum(segment.avg_logprob * max(segment.tokens, 1) for segment in spoken) / tokens
    text = " ".join(segment.text.strip() for segment in spoken)
    return Transcript(text, language, exp(min(logprob, 0.0)))
