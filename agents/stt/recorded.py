"""Times in a recording. Pure."""

from collections.abc import Sequence

from agents.stt.takes import SAMPLE_BYTES
from protocols.messages.audio import MIC_RATE_HZ
from protocols.messages.transcribe import WordTime


def ms_of(pcm_bytes: int) -> int:
    """How long so many bytes of sound last."""
    return pcm_bytes * 1000 // (SAMPLE_BYTES * MIC_RATE_HZ)


def spread(words: Sequence[str], start_ms: int, end_ms: int) -> tuple[WordTime, ...]:
    """Times of words of which nothing but beginning and end is known: by their letters."""
    letters = sum(map(len, words))
    times, done = [], 0
    for word in words:
        begin = start_ms + (end_ms - start_ms) * done // letters
        done += len(word)
        end = start_ms + (end_ms - start_ms) * done // letters
        times.append(WordTime(word=word, start_ms=begin, end_ms=end))
    return tuple(times)
