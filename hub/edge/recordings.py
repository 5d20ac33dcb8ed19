"""Recordings from outside: whatever file a client sends becomes mono s16le 16 kHz, by FFmpeg inside
PyAV; off the loop, and bounded in size, length, memory and time.

A file is bytes of a stranger. What its headers say is believed nowhere: length is counted while it
is decoded, and containers that may name further files or addresses (playlists) are not opened.
"""

import asyncio
import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple

from hub.edge.limits import MAX_UPLOAD_BYTES
from hub.errors import BadRequest, BodyTooLarge, Busy, TooLong
from protocols.messages.audio import MIC_RATE_HZ

LONGEST_S = 600
AT_ONCE = 2
WAITING = 16
"""Recordings that may wait to be decoded; each is in memory already."""
CPU_S = 60.0
"""Time of a processor for one recording: a hundred times what an honest one takes."""
MAX_RATE_HZ, MAX_CHANNELS = 192_000, 8
SHORT_BY = 0.1
"""Share of its announced length that a file may lack before it counts as cut off."""

_SAMPLE_BYTES = 2
_MAX_BYTES = LONGEST_S * MIC_RATE_HZ * _SAMPLE_BYTES
_CONTAINERS = "wav,w64,aiff,au,caf,flac,mp3,aac,ogg,matroska,mov"
"""Demuxers (FFmpeg's names). None of them opens anything but the bytes it is given."""
_CODECS = ",".join((
    "mp3float,mp3,flac,alac,opus,libopus,vorbis,aac,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le",
    "pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw",
    "adpcm_ms,adpcm_ima_wav",
))  # fmt: skip
_KNOW_THEIR_LENGTH = ("wav", "w64", "aiff", "flac", "mov", "matroska")
"""Containers whose header tells the length, if it tells one, and does not guess it."""
_MAGIC = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"ID3", b"\x1aE\xdf\xa3", b"caff", b".snd")
_LAYOUTS = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")
_SAMPLES = {8: "u8", 16: "s16le", 24: "s24le", 32: "s32le"}
_JUNK_PACKETS = 10
"""Packets before the first sound that may be none, as at the head of a cut MP3."""


class BadRecording(BadRequest):
    """No sound can be read out of the file: it is none, broken, cut off or empty."""

    code = "bad_audio"


class RecordingTooLong(TooLong):
    """A recording lasts longer than any that is taken."""

    code = "audio_too_long"


class RawFormat(NamedTuple):
    """What samples without a header are: integers, little-endian, interleaved."""

    rate_hz: int = 48_000
    channels: int = 1
    bits: int = 16


class Recordings:
    """Decodes ``AT_ONCE`` recordings at a time, on threads of its own: those of the robots' codecs
    never wait for them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="recording")
        self._taken = 0

    async def pcm_of(self, content: bytes, raw: RawFormat | None = None) -> bytes:
        """The sound of a file: mono s16le 16 kHz. ``raw``: what its samples are if it is no file
        at all. A caller that is cancelled ends the decoding within a packet.

        Raises:
            BodyTooLarge: more than ``MAX_UPLOAD_BYTES``.
            BadRecording: there is no sound to be had.
            RecordingTooLong: it lasts longer than ten minutes.
            Busy: too many wait already.
        """
        if len(content) > MAX_UPLOAD_BYTES:
            raise BodyTooLarge(f"a recording may have {MAX_UPLOAD_BYTES} bytes")
        if self._taken >= AT_ONCE + WAITING:
            raise Busy("too many recordings are being decoded", retry_after_s=2)
        left = threading.Event()
        self._taken += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, decode, content, raw, left)
        finally:
            left.set()
            self._taken -= 1

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def decode(
    content: bytes, raw: RawFormat | None = None, left: threading.Event | None = None
) -> bytes:
    """Blocking; see ``Recordings.pcm_of``. Stops once ``left`` is set."""
    import av

    if not content:
        raise BadRecording("the recording is empty")
    bounds = _Bounds(left or threading.Event())
    try:
        with closing(_opened(av, content, raw)) as container:
            pcm = _sound_of(av, container, bounds)
    except (av.FFmpegError, ValueError, EOFError, UnicodeError) as error:
        raise BadRecording(f"the recording cannot be read: {_plain(error)}") from None
    if not pcm:
        raise BadRecording("the recording holds no sound")
    return pcm


class _Bounds:
    """What one decoding may take."""

    def __init__(self, left: threading.Event) -> None:
        self._left = left
        self._until_s = time.thread_time() + CPU_S

    def check(self, pcm: bytearray) -> None:
        if len(pcm) > _MAX_BYTES:
            raise RecordingTooLong(f"a recording may last {LONGEST_S} s")
        if self._left.is_set():
            raise BadRecording("nobody waits for it")
        if time.thread_time() > self._until_s:
            raise BadRecording("the recording takes too long to be read")


def _opened(av: Any, content: bytes, raw: RawFormat | None) -> Any:
    file = io.BytesIO(content)
    limits = {"codec_whitelist": _CODECS, "protocol_whitelist": ""}
    if raw is None or _is_file(content):
        limits["format_whitelist"] = _CONTAINERS
        return av.open(file, options=limits, metadata_errors="ignore")
    _check_raw(content, raw)
    shape = {"sample_rate": str(raw.rate_hz), "ch_layout": _LAYOUTS[raw.channels - 1]}
    return av.open(file, format=_SAMPLES[raw.bits], options={**limits, **shape})


def _is_file(content: bytes) -> bool:
    return content.startswith(_MAGIC) or content[4:8] == b"ftyp"


def _check_raw(content: bytes, raw: RawFormat) -> None:
    if raw.bits not in _SAMPLES:
        raise BadRecording(f"samples have 8, 16, 24 or 32 bits, not {raw.bits}")
    _check_shape(raw.rate_hz, raw.channels)
    frame_bytes = raw.channels * raw.bits // 8
    if len(content) % frame_bytes:
        raise BadRecording(f"the recording has {len(content)} bytes, no multiple of {frame_bytes}")
    if len(content) > LONGEST_S * raw.rate_hz * frame_bytes:
        raise RecordingTooLong(f"a recording may last {LONGEST_S} s")


def _check_shape(rate_hz: int, channels: int) -> None:
    if not 1 <= channels <= MAX_CHANNELS:
        raise BadRecording(f"a recording has 1 to {MAX_CHANNELS} channels, not {channels}")
    if not 4_000 <= rate_hz <= MAX_RATE_HZ:
        raise BadRecording(f"a recording has 4000 to {MAX_RATE_HZ} Hz, not {rate_hz}")


def _sound_of(av: Any, container: Any, bounds: _Bounds) -> bytes:
    if not container.streams.audio:
        raise BadRecording("the file holds no sound")
    stream = container.streams.audio[0]
    resampler = av.AudioResampler(format="s16", layout="mono", rate=MIC_RATE_HZ)
    pcm = bytearray()
    for frame in _frames_of(av, container, stream):
        _check_shape(frame.sample_rate, frame.layout.nb_channels)
        frame.pts = None
        _take(resampler.resample(frame), pcm)
        bounds.check(pcm)
    if pcm:
        _take(resampler.resample(None), pcm)
        bounds.check(pcm)
    _check_whole(container, stream, len(pcm) / (_SAMPLE_BYTES * MIC_RATE_HZ))
    return bytes(pcm)


def _frames_of(av: Any, container: Any, stream: Any) -> Iterator[Any]:
    """What is decoded; raises what the decoder raises once there was any sound."""
    begun, junk = False, 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            junk += 1
            if begun or junk > _JUNK_PACKETS:
                raise
            continue
        for frame in frames:
            begun = True
            yield frame


def _take(frames: Any, pcm: bytearray) -> None:
    for frame in frames:
        # A plane is padded behind its samples.
        pcm += memoryview(frame.planes[0])[: _SAMPLE_BYTES * frame.samples]


def _check_whole(container: Any, stream: Any, seconds: float) -> None:
    names = container.format.name.split(",")
    if stream.duration is None or not any(name in names for name in _KNOW_THEIR_LENGTH):
        return
    announced = float(stream.duration * stream.time_base)
    if seconds < announced * (1 - SHORT_BY) - 0.1:
        raise BadRecording(f"the file is cut off: {seconds:.1f} of {announced:.1f} s are there")


def _plain(error: Exception) -> str:
    """What is wrong, without the name of a file that there is not."""
    return str(getattr(error, "strerror", None) or error)
