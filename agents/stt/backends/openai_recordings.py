"""A whole recording at a server of the OpenAI transcription API: its form, and what is in the
answer. Pure."""

from collections.abc import Sequence
from math import exp

import msgspec

from agents.runtime.errors import AgentError
from agents.stt.backends.base import Asked, NotServed, Understood
from agents.stt.backends.languages import code_of
from protocols.messages.transcribe import TranscribeSegment, WordTime

TRANSCRIPTIONS, TRANSLATIONS = "audio/transcriptions", "audio/translations"


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float
    probability: float | None = None


class _Segment(msgspec.Struct):
    text: str = ""
    start: float = 0.0
    end: float = 0.0
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    words: list[_Word] | None = None


class _Answer(msgspec.Struct):
    text: str
    language: str | None = None
    segments: list[_Segment] | None = None
    words: list[_Word] | None = None


def path_of(asked: Asked) -> str:
    """Where the recording goes."""
    return TRANSLATIONS if asked.translate else TRANSCRIPTIONS


def form_of(asked: Asked, model: str, response_format: str) -> dict[str, str | list[str]]:
    """The fields beside the file."""
    form: dict[str, str | list[str]] = {"model": model, "response_format": response_format}
    form["temperature"] = f"{asked.temperature or 0:g}"
    if asked.prompt:
        form["prompt"] = asked.prompt
    if asked.language and not asked.translate:
        form["language"] = asked.language
    if asked.words:
        form["timestamp_granularities[]"] = ["segment", "word"]
    return form


def told_by(
    body: bytes, asked: Asked, audio_ms: int
) -> tuple[Sequence[TranscribeSegment], Understood]:
    """The stretches in an answer of either format, and what is understood of all. An answer without
    stretches is one of the whole length.

    Raises:
        NotServed: words were asked for, and there are no times of them (``words_not_served``).
        AgentError: it is no transcript (``stt_failed``).
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError as error:
        raise AgentError(f"the server's answer is not readable: {error}", "stt_failed") from error
    parts = answer.segments or [_Segment(answer.text, 0.0, audio_ms / 1000)]
    parts = [part for part in parts if part.text.strip()]
    if asked.words and parts and not (answer.words or any(part.words for part in parts)):
        raise NotServed("the server gives no times of words", "words_not_served")
    segments = [_segment_of(part, n, parts, answer.words or []) for n, part in enumerate(parts)]
    sure = [segment.confidence for segment in segments if segment.confidence >= 0]
    language = "en" if asked.translate else code_of(answer.language or "") or asked.language
    confidence = sum(sure) / len(sure) if sure else -1.0
    return segments, Understood(answer.text.strip(), language, confidence)


def _segment_of(
    part: _Segment, number: int, parts: Sequence[_Segment], words: Sequence[_Word]
) -> TranscribeSegment:
    """A stretch with its words: those that begin before the next stretch does, where the server
    lists all words together."""
    last = number == len(parts) - 1
    begin = part.start if number else float("-inf")
    end = float("inf") if last else parts[number + 1].start
    own = part.words or [word for word in words if begin <= word.start < end]
    return TranscribeSegment(
        start_ms=_ms(part.start),
        end_ms=_ms(part.end),
        text=part.text.strip(),
        words=tuple(_word_of(word) for word in own),
        confidence=-1.0 if part.avg_logprob is None else exp(min(part.avg_logprob, 0.0)),
        no_speech=part.no_speech_prob or 0.0,
    )


def _word_of(word: _Word) -> WordTime:
    return WordTime(
        word=word.word.strip(),
        start_ms=_ms(word.start),
        end_ms=_ms(word.end),
        confidence=-1.0 if word.probability is None else word.probability,
    )


def _ms(seconds: float) -> int:
    """Servers have sent NaN and negative times."""
    return round(max(0.0, min(seconds, 86_400.0)) * 1000) if seconds == seconds else 0
