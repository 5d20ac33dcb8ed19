"""What tts sent, as tests want to look at it."""

from collections.abc import Sequence
from typing import Any

from protocols.messages.audio import SpeechChunk
from protocols.messages.job import SpeakRequest
from protocols.messages.speech import SpeechMarks, SpeechRequest, WordMark
from tests.fakes.two_lists import Sent

RATE_HZ = 16_000


def request(text: str, phrase: int = 0, **fields: Any) -> SpeechRequest:
    return SpeechRequest(phrase=phrase, text=text, **({"rate_hz": RATE_HZ} | fields))


def job(text: str, **fields: Any) -> SpeakRequest:
    return SpeakRequest(text=text, **({"rate_hz": RATE_HZ} | fields))


def words(sent: Sequence[Sent]) -> list[WordMark]:
    return [
        word for one in sent if isinstance(one.message, SpeechMarks) for word in one.message.words
    ]


def samples(sent: Sequence[Sent]) -> int:
    """How many samples were sent; asserts that they are counted without gap or overlap."""
    at = 0
    for message, blob in sent:
        if isinstance(message, SpeechChunk):
            assert message.first_sample == at
            assert 0 <= message.energy <= 255
            assert blob
            assert len(blob) % 2 == 0
            at += len(blob) // 2
    return at


def audio(sent: Sequence[Sent]) -> bytes:
    return b"".join(one.blob for one in sent)


def assert_marks_come_first(sent: Sequence[Sent]) -> None:
    """The marks of all that sounds in a chunk were sent before it."""
    marked_ms = 0
    chunks_begun: set[int] = set()
    for message, _ in sent:
        if isinstance(message, SpeechMarks):
            for word in message.words:
                marked_ms = max(marked_ms, word.end_ms)
        elif isinstance(message, SpeechChunk) and message.phrase not in chunks_begun:
            chunks_begun.add(message.phrase)
            assert message.first_sample * 1000 // message.rate_hz <= marked_ms
