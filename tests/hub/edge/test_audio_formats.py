"""Speech in every format: as long, as high and as loud as it was, and out as soon as it can be."""

import asyncio
import struct
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest

from hub.edge.audio_formats import FORMATS, encode, encoded, encoder_of, rate_for
from hub.edge.pieces import Pieces
from hub.edge.recordings import decode
from hub.errors import JobError
from tests.fakes.sound_files import tone
from tests.hub.edge.test_recordings import pitch_hz

RATE_HZ = 24_000
SPEECH = tone(3.0, rate_hz=RATE_HZ)
POOL = ThreadPoolExecutor(2)


class Speech:
    """Speech in chunks; ``fails`` at its end, or ``hangs`` there."""

    def __init__(self, pcm: bytes = SPEECH, chunk: int = 1_920) -> None:
        self.pcm = pcm
        self.chunk = chunk
        self.fails = self.hangs = False
        self.given = 0
        self.begun = asyncio.Event()
        self.closed = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            for at in range(0, len(self.pcm), self.chunk):
                self.given += 1
                self.begun.set()
                yield self.pcm[at : at + self.chunk]
            if self.fails:
                raise JobError("the voice broke", "tts_failed")
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            self.closed = True


async def streamed(speech: Speech, name: str, rate_hz: int = RATE_HZ) -> bytes:
    return b"".join([made async for made in encoded(speech.chunks(), name, rate_hz, POOL)])


def sound_in(file: bytes, name: str) -> bytes:
    """What is heard of it, at 16 kHz."""
    return bytes(decode(Pieces(encode(file, "wav", RATE_HZ) if name == "pcm" else file)))


@pytest.mark.parametrize("name", FORMATS)
async def test_streamed_or_whole_it_is_the_speech_that_it_was(name: str) -> None:
    for file in (await streamed(Speech(), name), encode(SPEECH, name, RATE_HZ)):
        heard = sound_in(file, name)
        assert len(heard) / 32_000 == pytest.approx(3.0, abs=0.1)
        assert pitch_hz(heard) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("name", FORMATS)
async def test_how_speech_is_cut_changes_nothing(name: str) -> None:
    at_once, bit_by_bit = Speech(chunk=len(SPEECH)), Speech(chunk=962)
    heard = sound_in(await streamed(at_once, name), name)
    assert sound_in(await streamed(bit_by_bit, name), name) == heard


@pytest.mark.parametrize("name", FORMATS)
async def test_the_first_bytes_come_long_before_the_last_speech(name: str) -> None:
    """Of much speech at once, too: from its first quarter second."""
    quick, at_once = Speech(), Speech(chunk=len(SPEECH))
    async with aclosing(encoded(quick.chunks(), name, RATE_HZ, POOL)) as made:
        assert await anext(made)
    assert quick.given <= 3
    async with aclosing(encoded(at_once.chunks(), name, RATE_HZ, POOL)) as made:
        assert len(await anext(made)) < len(SPEECH) // 8


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_sent_of_half_a_second_can_be_heard_already(name: str) -> None:
    sent = encoder_of(name, RATE_HZ).feed(SPEECH[:RATE_HZ])
    assert len(sound_in(sent, name)) / 32_000 > 0.2


@pytest.mark.parametrize("name", FORMATS)
async def test_whoever_leaves_in_the_middle_ends_the_speech(name: str) -> None:
    for left_after in range(3):
        speech = Speech()
        speech.hangs = True
        async with aclosing(encoded(speech.chunks(), name, RATE_HZ, POOL)) as made:
            for _ in range(left_after):
                await anext(made)
        assert speech.closed or not left_after


async def test_a_reader_that_is_cancelled_while_a_slice_is_encoded_ends_the_speech() -> None:
    for _ in range(50):
        speech = Speech()
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(streamed(speech, "mp3"))
            await speech.begun.wait()
            reading.cancel()
        assert speech.closed


async def test_speech_that_fails_in_the_middle_fails_after_what_was_spoken() -> None:
    speech = Speech()
    speech.fails = True
    with pytest.raises(JobError):
        await streamed(speech, "flac")
    async with aclosing(encoded(speech.chunks(), "flac", RATE_HZ, POOL)) as made:
        assert (await anext(made)).startswith(b"fLaC")


@pytest.mark.parametrize("name", FORMATS)
async def test_speech_of_nothing_is_a_file_of_nothing(name: str) -> None:
    assert isinstance(await streamed(Speech(b""), name), bytes)
    assert isinstance(encode(b"", name, RATE_HZ), bytes)


async def test_a_whole_wav_file_knows_its_length_and_a_streamed_one_says_that_it_does_not() -> None:
    whole, stream = encode(SPEECH, "wav", RATE_HZ), await streamed(Speech(), "wav")
    assert struct.unpack_from("<I", whole, 4) == (len(whole) - 8,)
    assert struct.unpack_from("<I", whole, 40) == (len(SPEECH),)
    assert struct.unpack_from("<I", stream, 4) == struct.unpack_from("<I", stream, 40)
    assert struct.unpack_from("<I", stream, 40) == (0xFFFFFFFF,)
    assert whole[44:] == stream[44:] == SPEECH


@pytest.mark.parametrize("name", FORMATS)
def test_every_rate_of_a_format_can_be_encoded(name: str) -> None:
    for rate_hz in FORMATS[name].rates_hz:
        assert encode(tone(0.5, rate_hz=rate_hz), name, rate_hz)


def test_the_rate_is_one_that_loses_nothing() -> None:
    assert {rate_for(name) for name in FORMATS} == {24_000}
    assert rate_for("opus", 22_050) == 24_000
    assert rate_for("opus", 44_100) == 48_000
    assert rate_for("mp3", 96_000) == 48_000


def test_each_format_says_what_it_is() -> None:
    assert {name: how.media_type for name, how in FORMATS.items()} == {
        "pcm": "audio/pcm",
        "wav": "audio/wav",
        "mp3": "audio/mpeg",
        "opus": "audio/ogg",
        "flac": "audio/flac",
        "aac": "audio/aac",
    }
