"""Speech in the formats that clients ask for, by FFmpeg inside PyAV: piece by piece while it is being
made, or as a whole file whose header knows its length.

Every encoder takes mono s16le at one of its format's rates, so speech is asked for at ``rate_for``
and never resampled here.
"""

import asyncio
import io
import struct
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import Executor
from contextlib import aclosing
from typing import Any, NamedTuple

USUAL_HZ = 24_000
"""What clients of the OpenAI API take ``pcm`` for."""
SLICE_S = 0.25
"""Speech that is encoded at once: what comes faster than it is spoken keeps no thread for long, and
its first bytes do not wait for the rest."""

_SAMPLE_BYTES = 2
_UNKNOWN_SIZE = 0xFFFFFFFF
_ANY_RATE = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


class Format(NamedTuple):
    """``container`` and ``codec`` are FFmpeg's names, empty where samples go out as they are."""

    media_type: str
    container: str = ""
    codec: str = ""
    rates_hz: tuple[int, ...] = _ANY_RATE
    bit_rate: int = 0
    options: Mapping[str, str] = {}


FORMATS: Mapping[str, Format] = {
    "pcm": Format("audio/pcm"),
    "wav": Format("audio/wav"),
    "mp3": Format("audio/mpeg", "mp3", "libmp3lame", bit_rate=64_000, options={"id3v2_version": "0"}),
    "opus": Format(
        "audio/ogg",
        "ogg",
        "libopus",
        (8_000, 12_000, 16_000, 24_000, 48_000),
        48_000,
        # Pages of a tenth of a second, instead of one: nothing is sent before its page is full.
        {"page_duration": "100000"},
    ),
    "flac": Format("audio/flac", "flac", "flac"),
    "aac": Format("audio/aac", "adts", "aac", bit_rate=64_000),
}  # fmt: skip
"""By the names of OpenAI's ``response_format``."""


def rate_for(name: str, wanted_hz: int = USUAL_HZ) -> int:
    """The rate at which to ask for speech that is to go out in the format ``name``: the least of
    its rates that loses nothing of ``wanted_hz``, or its highest."""
    rates = FORMATS[name].rates_hz
    return next((rate for rate in rates if rate >= wanted_hz), rates[-1])


async def encoded(
    speech: AsyncGenerator[bytes, None], name: str, rate_hz: int, threads: Executor
) -> AsyncGenerator[bytes, None]:
    """``speech`` (mono s16le) in the format ``name``, as it comes; what it raises goes on. Closing
    the generator closes ``speech``; a slice that is being encoded is finished and thrown away.
    """
    loop = asyncio.get_running_loop()
    step = int(rate_hz * SLICE_S) * _SAMPLE_BYTES
    async with aclosing(speech):
        encoder = await loop.run_in_executor(threads, encoder_of, name, rate_hz)
        async for pcm in speech:
            for at in range(0, len(pcm), step):
                piece = pcm[at : at + step]
                made = await loop.run_in_executor(threads, encoder.feed, piece)
                if made:
                    yield made
        made = await loop.run_in_executor(threads, encoder.finish)
        if made:
            yield made


def encode(pcm: bytes, name: str, rate_hz: int) -> bytes:
    """Blocking. Speech as a whole file; its header tells its length, where the format has one."""
    if not FORMATS[name].codec:
        return _wav_head(rate_hz, len(pcm)) + pcm if name == "wav" else pcm
    file = io.BytesIO()
    _FileEncoder(FORMATS[name], rate_hz, file).write(pcm, last=True)
    return file.getvalue()


class Encoder:
    """Samples as they are, behind a header of unknown length if it is a WAV file."""

    def __init__(self, head: bytes = b"") -> None:
        self._head = head

    def feed(self, pcm: bytes) -> bytes:
        """What can be sent after ``pcm``."""
        head, self._head = self._head, b""
        return head + pcm

    def finish(self) -> bytes:
        """What is left."""
        return self.feed(b"")


class _Sink:
    """A file that cannot be sought in: bytes are taken from it as they are written."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


class _CodecEncoder(Encoder):
    """Blocking; one call at a time."""

    def __init__(self, how: Format, rate_hz: int) -> None:
        self._sink = _Sink()
        self._file = _FileEncoder(how, rate_hz, self._sink)

    def feed(self, pcm: bytes) -> bytes:
        self._file.write(pcm)
        return self._sink.take()

    def finish(self) -> bytes:
        self._file.write(b"", last=True)
        return self._sink.take()


def encoder_of(name: str, rate_hz: int) -> Encoder:
    """An encoder for the format ``name`` whose output can be sent as it comes."""
    how = FORMATS[name]
    if how.codec:
        return _CodecEncoder(how, rate_hz)
    return Encoder(_wav_head(rate_hz, None) if name == "wav" else b"")


class _FileEncoder:
    """Writes speech to a file object. It is not closed by whoever gives it up in the middle, since
    a thread may still be in it: it goes with its last reference."""

    def __init__(self, how: Format, rate_hz: int, file: Any) -> None:
        import av

        self._av: Any = av
        self._rate_hz = rate_hz
        self._samples = 0
        options = dict(how.options)
        if not hasattr(file, "seek") and how.container == "mp3":
            options["write_xing"] = "0"  # a header of the length, written last
        self._container: Any = self._av.open(
            file, "w", format=how.container, options={"flush_packets": "1", **options}
        )
        self._stream: Any = self._container.add_stream(how.codec, rate=rate_hz, layout="mono")
        if how.bit_rate:
            self._stream.bit_rate = how.bit_rate

    def write(self, pcm: bytes, last: bool = False) -> None:
        if pcm:
            self._mux(self._frame(pcm))
        if last:
            if self._samples:
                self._mux(None)
            self._container.close()

    def _mux(self, frame: Any) -> None:
        self._container.mux(self._stream.encode(frame))

    def _frame(self, pcm: bytes) -> Any:
        samples = len(pcm) // _SAMPLE_BYTES
        frame = self._av.AudioFrame(format="s16", layout="mono", samples=samples)
        frame.planes[0].update(pcm.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate = self._rate_hz
        frame.pts = self._samples
        self._samples += samples
        return frame


def _wav_head(rate_hz: int, pcm_bytes: int | None) -> bytes:
    """The header of a WAV file; one whose length nobody knows says so by the largest there is."""
    size = _UNKNOWN_SIZE if pcm_bytes is None else pcm_bytes
    riff = _UNKNOWN_SIZE if pcm_bytes is None else pcm_bytes + 36
    shape = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, rate_hz * _SAMPLE_BYTES, _SAMPLE_BYTES, 16)
    return (
        b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + shape + b"data" + struct.pack("<I", size)
    )
