"""Recordings: any audio file to 16 kHz mono samples, and samples to WAV files."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from robot_sim.errors import UnreadableRecording

RATE_HZ = 16_000
"""Rate of everything a simulated microphone hears."""

Pcm = npt.NDArray[np.int16]
"""Mono 16-bit samples."""


def read_pcm(path: Path) -> Pcm:
    """The samples of an audio file of any format and rate, as 16 kHz mono.

    Raises:
        UnreadableRecording: it is missing, or holds no audio that can be decoded.
    """
    if not path.is_file():
        raise UnreadableRecording(f"there is no recording {path}")
    pcm = _read_plain_wav(path)
    if pcm is None:
        pcm = _decode(path)
    if not len(pcm):
        raise UnreadableRecording(f"{path} holds no audio")
    return pcm


def write_wav(path: Path, pcm: Pcm | bytes, rate_hz: int = RATE_HZ) -> None:
    """Write mono 16-bit samples as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm if isinstance(pcm, bytes) else pcm.astype("<i2").tobytes())


def _read_plain_wav(path: Path) -> Pcm | None:
    """The samples if the file already is what we want; no decoder is loaded for that."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, RATE_HZ):
                return None
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        return None
    return np.frombuffer(frames[: len(frames) // 2 * 2], dtype="<i2").astype(np.int16)


def _decode(path: Path) -> Pcm:
    """Decode and resample with PyAV, which faster-whisper brings along."""
    try:
        import av
    except ImportError as error:
        raise UnreadableRecording(
            f"{path} is no WAV of 16 kHz, mono, 16 bit, and nothing here can convert it"
        ) from error
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise UnreadableRecording(f"{path} holds no audio")
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
            parts = [
                part.to_ndarray()[0]
                for frame in (*container.decode(audio=0), None)
                for part in resampler.resample(frame)
            ]
    except av.FFmpegError as error:
        raise UnreadableRecording(f"{path} cannot be decoded: {error}") from error
    return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)
