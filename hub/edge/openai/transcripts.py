"""Transcripts in the forms that OpenAI's clients ask for. Pure."""

import zlib
from collections.abc import Iterable, Sequence
from math import ceil, log
from typing import Any, Literal

from protocols.messages.transcribe import TranscribeDone, TranscribeSegment

Document = dict[str, Any]


Form = Literal["json", "text", "srt", "vtt", "verbose_json"]


def srt(segments: Iterable[TranscribeSegment]) -> str:
    """SubRip: https://www.matroska.org/technical/subtitles.html#srt-subtitles"""
    return "".join(
        f"{number}\n{_clock(each.start_ms, ',')} --> {_clock(each.end_ms, ',')}\n"
        f"{_one_line(each.text)}\n\n"
        for number, each in enumerate(segments, 1)
    )


def vtt(segments: Iterable[TranscribeSegment]) -> str:
    """WebVTT: https://www.w3.org/TR/webvtt1/"""
    cues = (
        f"{_clock(each.start_ms, '.')} --> {_clock(each.end_ms, '.')}\n"
        f"{_escaped(_one_line(each.text))}\n\n"
        for each in segments
    )
    return f"WEBVTT\n\n{''.join(cues)}"


def brief(done: TranscribeDone) -> Document:
    """The text, and how much sound it is of."""
    seconds = ceil(done.audio_ms / 1_000)
    return {"text": done.text, "usage": {"type": "duration", "seconds": seconds}}


def verbose(
    done: TranscribeDone,
    segments: Sequence[TranscribeSegment],
    *,
    task: str,
    temperature: float,
    words: bool,
    stretches: bool,
) -> Document:
    """The text with what is known of its stretches and words; times in seconds. The numbers of
    tokens are the engine's own, and are not told."""
    told: Document = {
        "task": task,
        "language": done.language,
        "duration": done.audio_ms / 1_000,
        **brief(done),
    }
    if stretches:
        told["segments"] = [
            _segment(number, each, temperature) for number, each in enumerate(segments)
        ]
    if words:
        told["words"] = [
            {"word": word.word, "start": word.start_ms / 1_000, "end": word.end_ms / 1_000}
            for each in segments
            for word in each.words
        ]
    return told


def _segment(number: int, segment: TranscribeSegment, temperature: float) -> Document:
    """As Whisper tells of one: its mean logarithmic probability, and how well its text compresses."""
    text = segment.text.encode()
    return {
        "id": number,
        "seek": 0,
        "start": segment.start_ms / 1_000,
        "end": segment.end_ms / 1_000,
        "text": segment.text,
        "tokens": [],
        "temperature": temperature,
        "avg_logprob": log(segment.confidence) if segment.confidence > 0 else 0.0,
        "compression_ratio": len(text) / len(zlib.compress(text)),
        "no_speech_prob": segment.no_speech,
    }


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}"


def _one_line(text: str) -> str:
    """A line that is empty would end what it stands in."""
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
