"""Microphones and loudspeakers of a robot: those of this machine (sounddevice), or WAV files."""

import asyncio
import threading
import wave
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

import numpy as np

from robot_sim.errors import NoAudioDevice
from robot_sim.wav import RATE_HZ, Pcm

_AHEAD_SAMPLES = RATE_HZ // 5
"""Longest stretch that waits for the loudspeaker; its clock and ours drift apart by little."""
FIRST_SAMPLES = RATE_HZ * 60 // 1000
"""So much waits before the loudspeaker begins: it asks in gulps, and is given 20 ms at a time."""
_SETTINGS: dict[str, Any] = {"samplerate": RATE_HZ, "channels": 1, "dtype": "int16"}


class Loudspeaker(Protocol):
    """Where a robot's voice goes: 16 kHz mono, in real time, silence included."""

    @property
    def lag_ms(self) -> float:
        """How long after ``play`` a sample sounds."""

    def play(self, pcm: bytes) -> None:
        """Take the next samples; never waits."""

    def cut(self) -> None:
        """The voice was flushed: what waits is not to sound."""


class _Stream:
    """A stream of the sound library, open inside its context.

    Raises (on entry):
        NoAudioDevice: there is no library for it, or no device.
    """

    def __init__(self, device: str | None, library: Any | None) -> None:
        """``device`` by its number or a part of its name, None: the system's choice."""
        number = device is not None and device.isdecimal()
        self._device = int(device or 0) if number else device
        self._library = library
        self._stream: Any = None

    def _open(self, library: Any) -> Any:
        raise NotImplementedError

    def __enter__(self) -> Self:
        library = _sound_library() if self._library is None else self._library
        try:
            self._stream = self._open(library)
            self._stream.start()
        except (library.PortAudioError, ValueError) as error:
            self._close()
            raise NoAudioDevice(f"microphone or loudspeaker cannot be opened: {error}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class CardMicrophone(_Stream):
    """``on_sound`` gets what the microphone of this machine hears, on the loop."""

    def __init__(self, device: str | None = None, library: Any | None = None) -> None:
        super().__init__(device, library)
        self.on_sound: Callable[[Pcm], None] | None = None
        self._loop = asyncio.get_running_loop()

    def _open(self, library: Any) -> Any:
        return library.RawInputStream(callback=self._on_input, device=self._device, **_SETTINGS)

    def _on_input(self, data: Any, frames: int, time: Any, status: Any) -> None:
        if self.on_sound is not None:
            pcm = np.frombuffer(bytes(data), "<i2")
            self._loop.call_soon_threadsafe(self.on_sound, pcm)


class CardSpeaker(_Stream):
    """A ``Loudspeaker`` of this machine. ``dropped`` samples were too many for it, ``starved`` is
    how often it had to wait for some."""

    def __init__(self, device: str | None = None, library: Any | None = None) -> None:
        super().__init__(device, library)
        self.dropped = 0
        self.starved = 0
        self._waiting = bytearray()
        self._begun = False
        self._lock = threading.Lock()

    @property
    def lag_ms(self) -> float:
        latency_s = float(self._stream.latency) if self._stream is not None else 0.0
        return FIRST_SAMPLES * 1000 / RATE_HZ + 1000 * latency_s

    def play(self, pcm: bytes) -> None:
        """Queue samples; the oldest are dropped where the loudspeaker is too slow."""
        with self._lock:
            self._waiting += pcm
            excess = len(self._waiting) - 2 * _AHEAD_SAMPLES
            if excess > 0:
                self.dropped += excess // 2
                del self._waiting[:excess]

    def cut(self) -> None:
        """What waits becomes silence, so that what comes next is as late as before."""
        with self._lock:
            self._waiting[:] = bytes(len(self._waiting))

    def _open(self, library: Any) -> Any:
        return library.RawOutputStream(callback=self._on_output, device=self._device, **_SETTINGS)

    def _on_output(self, data: Any, frames: int, time: Any, status: Any) -> None:
        with self._lock:
            self._begun = self._begun or len(self._waiting) >= 2 * FIRST_SAMPLES
            pcm = b""
            if self._begun:
                pcm = bytes(self._waiting[: 2 * frames])
                del self._waiting[: 2 * frames]
                if len(pcm) < 2 * frames:
                    self._begun = False
                    self.starved += 1
        data[:] = pcm.ljust(2 * frames, b"\0")


class Devices:
    """Microphone and loudspeaker of this machine together; a context manager, see ``_Stream``."""

    def __init__(self) -> None:
        self._microphone = CardMicrophone()
        self._speaker = CardSpeaker()
        self._stack = ExitStack()

    @property
    def on_sound(self) -> Callable[[Pcm], None] | None:
        return self._microphone.on_sound

    @on_sound.setter
    def on_sound(self, take: Callable[[Pcm], None] | None) -> None:
        self._microphone.on_sound = take

    def play(self, pcm: bytes) -> None:
        self._speaker.play(pcm)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._microphone)
            stack.enter_context(self._speaker)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()


class WavSpeaker:
    """A ``Loudspeaker`` that is a file: the whole life of the robot, silence included. A context
    manager; the file can be read once it is closed.

    Raises (on entry):
        NoAudioDevice: the file cannot be written.
    """

    lag_ms = 0.0

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sink: IO[bytes] | None = None
        self._file: wave.Wave_write | None = None

    def play(self, pcm: bytes) -> None:
        if self._file is not None:
            self._file.writeframesraw(pcm)

    def cut(self) -> None:
        """Nothing waits."""

    def __enter__(self) -> Self:
        try:
            self._sink = self._path.open("wb")
        except OSError as error:
            raise NoAudioDevice(f"{self._path} cannot be written: {error.strerror}") from error
        self._file = wave.open(self._sink, "wb")
        self._file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None and self._sink is not None:
            self._file.close()
            self._sink.close()
            self._file = None


class NoSpeaker:
    """A ``Loudspeaker`` that nobody hears."""

    lag_ms = 0.0

    def play(self, pcm: bytes) -> None:
        """Lost."""

    def cut(self) -> None:
        """Nothing waits."""


def is_recording(name: str) -> bool:
    """Whether ``name`` means a WAV file and no device."""
    return name.lower().endswith(".wav")


def _sound_library() -> Any:
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise NoAudioDevice(
            "microphone and loudspeaker need sounddevice (install robot-hub[supervisor]) and the "
            f"system library PortAudio (libportaudio2): {error}"
        ) from error
    return sounddevice
