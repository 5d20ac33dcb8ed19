"""Sound in files of every kind, made by FFmpeg."""

import io
from typing import Any, NamedTuple

import av
import numpy as np

RATE_HZ = 16_000


class Kind(NamedTuple):
    """How a file is made."""

    container: str
    codec: str
    rate_hz: int = 48_000
    layout: str = "mono"


KINDS: dict[str, Kind] = {
    "wav": Kind("wav", "pcm_s16le", 44_100),
    "wav of 24 bits": Kind("wav", "pcm_s24le", 96_000, "stereo"),
    "wav of floats": Kind("wav", "pcm_f32le", 16_000),
    "wav of a telephone": Kind("wav", "pcm_mulaw", 8_000),
    "flac": Kind("flac", "flac", 44_100, "stereo"),
    "mp3": Kind("mp3", "libmp3lame", 44_100),
    "ogg opus": Kind("ogg", "libopus"),
    "webm opus": Kind("webm", "libopus"),
    "m4a": Kind("ipod", "aac", 44_100, "stereo"),
    "mp4": Kind("mp4", "aac", 44_100),
    "adts": Kind("adts", "aac", 22_050),
    "aiff": Kind("aiff", "pcm_s16be", 22_050),
}


def tone(seconds: float, hz: float = 440.0, rate_hz: int = RATE_HZ) -> bytes:
    """Audible s16le."""
    turn = 2 * np.pi * hz / rate_hz
    return (8_000 * np.sin(turn * np.arange(round(seconds * rate_hz)))).astype("<i2").tobytes()


def file_of(pcm: bytes, kind: Kind) -> bytes:
    """A file that holds ``pcm`` (mono s16le 16 kHz)."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind.container) as container:
        stream: Any = container.add_stream(kind.codec, rate=kind.rate_hz, layout=kind.layout)
        resampler = av.AudioResampler(stream.format, kind.layout, kind.rate_hz)
        for frame in [*resampler.resample(_frame(pcm)), *resampler.resample(None)]:
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def silence_of(seconds: int, rate_hz: int = 8_000) -> bytes:
    """A FLAC file of silence: four bytes a second, of which 32,000 are made."""
    out = io.BytesIO()
    with av.open(out, "w", format="flac") as container:
        stream: Any = container.add_stream("flac", rate=rate_hz, layout="mono")
        stream.options = {"frame_size": "65520"}
        second = bytes(2 * rate_hz)
        for n in range(seconds):
            frame = _frame(second, rate_hz)
            frame.pts = n * rate_hz
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def film_of(frames: int = 10) -> bytes:
    """A film without sound."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        stream: Any = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    return out.getvalue()


def _frame(pcm: bytes, rate_hz: int = RATE_HZ) -> Any:
    frame = av.AudioFrame.from_ndarray(
        np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono"
    )
    frame.sample_rate = rate_hz
    return frame
