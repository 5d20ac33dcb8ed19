"""How a whole recording goes through faster-whisper, window by window. Blocking."""

from collections.abc import Collection, Iterator
from math import exp
from typing import Any

import numpy as np

from agents.runtime.errors import AgentError
from agents.stt.backends.base import Asked, NotServed, Understood
from agents.stt.backends.sureness import (
    IMPROBABLE,
    NO_SPEECH,
    Segment,
    is_silence,
    transcript_of,
)
from agents.stt.recorded import ms_of
from protocols.messages.transcribe import TranscribeSegment, WordTime

TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Tried in turn while what is decoded repeats itself or is improbable (Radford et al. 2022,
section 4.5)."""
ENGLISH_ONLY = frozenset({"en"})


def check(asked: Asked, languages: Collection[str]) -> None:
    """Whether a model of these languages can do it.

    Raises:
        NotServed: it cannot; the code says what.
    """
    if asked.language and asked.language not in languages:
        raise NotServed(f"the model does not know {asked.language!r}", "language_not_served")
    if asked.translate and frozenset(languages) == ENGLISH_ONLY:
        raise NotServed("the model knows English only", "translate_not_served")


def decoded(
    whisper: Any, pcm: bytes, asked: Asked, beams: int
) -> Iterator[TranscribeSegment | Understood]:
    """The stretches of a recording, each decoded when it is asked for, and last what is understood
    of all.

    Raises:
        AgentError: the engine cannot decode it.
    """
    sound = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32_768)
    spoken: list[Segment] = []
    raw: list[str] = []
    try:
        parts, info = whisper.transcribe(
            sound,
            language=asked.language or None,
            task="translate" if asked.translate else "transcribe",
            beam_size=beams,
            temperature=TEMPERATURES if asked.temperature is None else asked.temperature,
            initial_prompt=asked.prompt or None,
            word_timestamps=asked.words,
            vad_filter=True,
            no_speech_threshold=NO_SPEECH,
            log_prob_threshold=IMPROBABLE,
        )
        for part in parts:
            stretch = Segment(part.text, len(part.tokens), part.avg_logprob, part.no_speech_prob)
            if part.text.strip() and not is_silence(stretch):
                spoken.append(stretch)
                raw.append(part.text)
                yield _segment_of(part, ms_of(len(pcm)))
    except (RuntimeError, ValueError) as error:
        raise AgentError(f"whisper: {error}", "stt_failed") from error
    language = "en" if asked.translate else info.language
    sureness = transcript_of(spoken, language).confidence
    # Whisper writes the space before a word, and none where a language has none.
    yield Understood("".join(raw).strip(), language, sureness, float(info.language_probability))


def _segment_of(part: Any, audio_ms: int) -> TranscribeSegment:
    """Times within the recording: the model thinks in windows of 30 s."""
    return TranscribeSegment(
        start_ms=min(round(part.start * 1000), audio_ms),
        end_ms=min(round(part.end * 1000), audio_ms),
        text=part.text.strip(),
        words=tuple(_word_of(word, audio_ms) for word in part.words or ()),
        confidence=exp(min(part.avg_logprob, 0.0)),
        no_speech=float(part.no_speech_prob),
    )


def _word_of(word: Any, audio_ms: int) -> WordTime:
    return WordTime(
        word=word.word.strip(),
        start_ms=min(round(word.start * 1000), audio_ms),
        end_ms=min(round(word.end * 1000), audio_ms),
        confidence=float(word.probability),
    )
