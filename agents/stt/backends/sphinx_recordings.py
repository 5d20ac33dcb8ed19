"""Whole recordings by pocketsphinx: cut at silences, each stretch decoded like an utterance."""

import os
import re
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from pocketsphinx import Decoder, Endpointer

from agents.stt.backends.cepstra import Voice
from agents.stt.backends.sphinx_child import FRAMES_PER_SECOND, SphinxChild
from agents.stt.recorded import ms_of, spread

NICENESS = 10
"""Children that hear users who speak now get the processor first."""
BYTES_PER_SECOND = 32_000
STEP_BYTES = BYTES_PER_SECOND
"""Sound between two looks at whether anybody still waits."""
LONGEST_BYTES = 20 * BYTES_PER_SECOND
"""Speech without a silence is cut after so much: what is heard later cannot change it any more."""
MARGIN_BYTES = BYTES_PER_SECOND * 3 // 20
"""Sound before and after a stretch that is decoded with it: the endpointer hears quiet consonants
late and lets go of them early."""

_VARIANT = re.compile(r"\(\d+\)$")

Stretch = tuple[int, int]
"""First byte of a stretch of speech, and the one after its last."""
Heard = list[Any]
"""``[first byte, last byte, text, [[word, start in ms, end in ms], …]]``."""


class SphinxRecordings(SphinxChild):
    """Called from the parent through ``WorkerProcess``."""

    def __init__(self) -> None:
        os.nice(NICENESS)
        super().__init__()

    def heard(self, pcm: bytes) -> Generator[Heard | None, None, None]:
        """What is said in each stretch of a recording of one speaker; None between two steps."""
        voice = Voice().packed()
        for start, end in stretches(pcm):
            self.begin(voice)
            for at in range(start, end, STEP_BYTES):
                self.feed(pcm[at : min(at + STEP_BYTES, end)])
                yield None
            text, voice = self.finish()
            if text:
                yield [start, end, text, self._word_times(text, ms_of(start), ms_of(end))]

    def _word_times(self, text: str, start_ms: int, end_ms: int) -> list[list[Any]]:
        """When the words of ``text`` sound, by whichever decoder heard them."""
        words = text.split()
        for decoder in (self._dictation, self._commands):
            heard = _words_of(decoder)
            at = _place_of(words, [word for word, _, _ in heard])
            if at is not None:
                return [
                    [word, start_ms + _frame_ms(first), min(start_ms + _frame_ms(last + 1), end_ms)]
                    for word, first, last in heard[at : at + len(words)]
                ]
        return [[each.word, each.start_ms, each.end_ms] for each in spread(words, start_ms, end_ms)]


def stretches(pcm: bytes) -> Iterator[Stretch]:
    """The stretches of speech in ``pcm``, with a margin of sound around them where there is any."""
    after = 0
    for start, end in _speech(pcm):
        first = max(after, start - MARGIN_BYTES)
        after = min(len(pcm), end + MARGIN_BYTES)
        yield first, after


def _speech(pcm: bytes) -> Iterator[Stretch]:
    endpointer = Endpointer()
    size, begun = endpointer.frame_bytes, None
    for at in range(0, len(pcm), size):
        if at + size >= len(pcm):
            break
        endpointer.process(pcm[at : at + size])
        if endpointer.in_speech and begun is None:
            begun = _byte_of(endpointer.speech_start)
        elif begun is not None and not endpointer.in_speech:
            yield begun, _byte_of(endpointer.speech_end)
            begun = None
        elif begun is not None and at - begun >= LONGEST_BYTES:
            yield begun, at
            begun = at
    if begun is not None:
        yield begun, len(pcm)


def _byte_of(seconds: float) -> int:
    return int(seconds * BYTES_PER_SECOND) // 2 * 2


def _frame_ms(frame: int) -> int:
    return frame * 1000 // FRAMES_PER_SECOND


def _words_of(decoder: Decoder) -> list[tuple[str, int, int]]:
    """Words that a decoder heard last, with their first and last frame; no silences and noises."""
    if decoder.hyp() is None:
        return []
    return [
        (_VARIANT.sub("", each.word), each.start_frame, each.end_frame)
        for each in decoder.seg()
        if not each.word.startswith(("<", "[", "+"))
    ]


def _place_of(words: Sequence[str], among: Sequence[str]) -> int | None:
    """Where ``words`` stand in a row among others; None if they do not."""
    last = len(among) - len(words)
    return next((n for n in range(last + 1) if among[n : n + len(words)] == words), None)
