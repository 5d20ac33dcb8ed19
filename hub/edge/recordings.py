"""Recordings from outside: whatever file a client sends becomes mono s16le 16 kHz, by FFmpeg inside
PyAV; off the loop, and bounded in size, length, memory and time.

A file is bytes of a stranger. What its headers say is believed nowhere: length is counted while it
is decoded, and containers that may name further files or addresses (playlists) are not opened.
"""

import asyncio
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any, NamedTuple

from hub.edge.limits import MAX_UPLOAD_BYTES
from hub.edge.pieces import Pieces
from hub.errors import BadRequest, BodyTooLarge, Busy, TooLong
from hub.jobs.orders import Blob
from protocols.messages.audio import MIC_RATE_HZ

LONGEST_S = 600
AT_ONCE = 2
WAITING = 32
"""Recordings that may wait to be decoded; each is in memory already."""
CPU_S = 30.0
"""Time of a processor for one recording; ten minutes of MP3 take half a second."""
MAX_RATE_HZ, MAX_CHANNELS = 192_000, 8
SHORT_BY = 0.1
"""Share of its announced length that a file may lack before it counts as cut off."""

NICE = 10
BREATH_S = 400e-6
"""After each frame the decoding thread rests for longer than another thread takes to wake up: else
the loop would get the interpreter only by force, and lose it again at its next call of the system."""
BREATHS_PER_S = 50
"""Of sound, at most: frames of a few samples each would keep a thread for minutes."""

_SAMPLE_BYTES = 2
_HEAD_BYTES = 4_096
_MAX_BYTES = LONGEST_S * MIC_RATE_HZ * _SAMPLE_BYTES
_CONTAINERS = "wav,w64,aiff,au,caf,flac,mp3,aac,ogg,matroska,mov"
"""Demuxers (FFmpeg's names). None of them opens anything but the bytes it is given."""
_CODECS = ",".join((
    "mp3float,mp3,flac,alac,opus,libopus,vorbis,aac,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le",
    "pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw",
    "adpcm_ms,adpcm_ima_wav",
))  # fmt: skip
_KNOW_THEIR_LENGTH = frozenset({"aiff", "flac", "mov", "matroska"})
"""Containers whose header tells the length, if it tells one, and from whom FFmpeg takes it."""
_MP3_LENGTH = (b"Xing", b"Info")
"""Marks of a header that tells the length of an MP3; without one it is a guess."""
_WAV_UNKNOWN = 0x7FFF0000
"""From here on, and at 0, the size in a WAV header is none: it was written before its samples."""
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


def give_way() -> None:
    """This thread takes the processor after others: FFmpeg does most of its work without the
    interpreter, and nobody waits for a recording as for the next frame of speech."""
    if sys.platform == "linux":  # where a thread has a priority of its own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


class RawFormat(NamedTuple):
    """What samples without a header are: integers, little-endian, interleaved."""

    rate_hz: int = 48_000
    channels: int = 1
    bits: int = 16


Decoding = Callable[[Pieces, RawFormat | None, threading.Event], Blob]
"""See ``decode``."""


class Recordings:
    """Decodes ``AT_ONCE`` recordings at a time, on threads of its own: those of the robots' codecs
    never wait for them."""

    def __init__(self, decoding: Decoding | None = None) -> None:
        self._decoding = decoding or decode
        self._threads = ThreadPoolExecutor(AT_ONCE, "recording", initializer=give_way)
        self._taken = 0

    async def pcm_of(self, content: Pieces, raw: RawFormat | None = None) -> Blob:
        """The sound of a file: mono s16le 16 kHz. ``raw``: what its samples are if it is no file
        at all. A caller that is cancelled ends the decoding within a packet. ``content`` is empty
        once it was decoded: nobody needs it any more.

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
            return await loop.run_in_executor(self._threads, self._decoded, content, raw, left)
        finally:
            left.set()
            self._taken -= 1

    def _decoded(self, content: Pieces, raw: RawFormat | None, left: threading.Event) -> Blob:
        try:
            return self._decoding(content, raw, left)
        finally:
            content.let_go()

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def decode(
    content: Pieces, raw: RawFormat | None = None, left: threading.Event | None = None
) -> Blob:
    """Blocking; see ``Recordings.pcm_of``. Stops once ``left`` is set."""
    import av

    if not content:
        raise BadRecording("the recording is empty")
    bounds = _Bounds(left or threading.Event())
    try:
        with closing(_opened(av, content, raw)) as container:
            pcm = _sound_of(av, container, bounds)
            announced_s = _announced_s(av, container, content)
    except (av.FFmpegError, ValueError, EOFError, UnicodeError) as error:
        raise BadRecording(f"the recording cannot be read: {_plain(error)}") from None
    if not pcm:
        raise BadRecording("the recording holds no sound")
    seconds = len(pcm) / (_SAMPLE_BYTES * MIC_RATE_HZ)
    if seconds < announced_s * (1 - SHORT_BY) - 0.1:
        raise BadRecording(f"the file is cut off: {seconds:.1f} of {announced_s:.1f} s are there")
    return pcm


class _Bounds:
    """What one decoding may take."""

    def __init__(self, left: threading.Event) -> None:
        self._left = left
        self._until_s = time.thread_time() + CPU_S
        self._rest_at = 0

    def check(self, pcm: bytearray) -> None:
        """After each frame."""
        if len(pcm) > _MAX_BYTES:
            raise RecordingTooLong(f"a recording may last {LONGEST_S} s")
        if self._left.is_set():
            raise BadRecording("nobody waits for it")
        if time.thread_time() > self._until_s:
            raise BadRecording("the recording takes too long to be read")
        if len(pcm) >= self._rest_at:
            self._rest_at = len(pcm) + _SAMPLE_BYTES * MIC_RATE_HZ // BREATHS_PER_S
            time.sleep(BREATH_S)


def _opened(av: Any, content: Pieces, raw: RawFormat | None) -> Any:
    file = content.open()
    limits = {"codec_whitelist": _CODECS, "protocol_whitelist": ""}
    if raw is None or _is_file(content.head(_HEAD_BYTES)):
        limits["format_whitelist"] = _CONTAINERS
        return av.open(file, options=limits, metadata_errors="ignore")
    _check_raw(content, raw)
    shape = {"sample_rate": str(raw.rate_hz), "ch_layout": _LAYOUTS[raw.channels - 1]}
    return av.open(file, format=_SAMPLES[raw.bits], options={**limits, **shape})


def _is_file(head: bytes) -> bool:
    return head.startswith(_MAGIC) or head[4:8] == b"ftyp"


def _check_raw(content: Pieces, raw: RawFormat) -> None:
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


def _sound_of(av: Any, container: Any, bounds: _Bounds) -> bytearray:
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
    return pcm


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


def _announced_s(av: Any, container: Any, content: Pieces) -> float:
    """How long the file says that it is; 0 where it does not say, or only guesses."""
    names, head = set(container.format.name.split(",")), content.head(_HEAD_BYTES)
    stream = container.streams.audio[0]
    if "wav" in names:
        # FFmpeg takes the length of what is there, whatever the header says.
        (said,) = struct.unpack("<I", head[4:8])
        known = 0 < said < _WAV_UNKNOWN and stream.duration
        return _seconds(stream) * (said + 8) / len(content) if known else 0.0
    if names & _KNOW_THEIR_LENGTH or any(mark in head for mark in _MP3_LENGTH):
        return _seconds(stream) or (container.duration or 0) / av.time_base
    return 0.0


def _seconds(stream: Any) -> float:
    return float(stream.duration * stream.time_base) if stream.duration else 0.0


def _plain(error: Exception) -> str:
    """What is wrong, without the name of a file that there is not."""
    return str(getattr(error, "strerror", None) or error)
