"""The real microphone and loudspeaker of this machine (extra ``audio``)."""

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import numpy as np

from robot_sim.errors import NoAudioDevice
from robot_sim.wav import RATE_HZ, Pcm

_AHEAD_SAMPLES = RATE_HZ // 5
"""Longest stretch that waits for the loudspeaker; its clock and ours drift apart by little."""


class Devices:
    """A context manager: inside, ``on_sound`` gets microphone samples on the loop, and ``play``
    puts samples on the loudspeaker, both 16 kHz mono.

    Raises (on entry):
        NoAudioDevice: there is no library for it, or no device.
    """

    def __init__(self) -> None:
        self.on_sound: Callable[[Pcm], None] | None = None
        self.dropped = 0
        """Samples that the loudspeaker was too slow for."""
        self._waiting = bytearray()
        self._lock = threading.Lock()
        self._streams: list[Any] = []
        self._loop = asyncio.get_running_loop()

    def play(self, pcm: bytes) -> None:
        """Queue samples for the loudspeaker; the oldest are dropped where it is too slow."""
        with self._lock:
            self._waiting += pcm
            excess = len(self._waiting) - 2 * _AHEAD_SAMPLES
            if excess > 0:
                self.dropped += excess // 2
                del self._waiting[:excess]

    def __enter__(self) -> Self:
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            raise NoAudioDevice(
                "microphone and loudspeaker need the extra 'audio' and the system library "
                f"PortAudio (libportaudio2): {error}"
            ) from error
        settings: dict[str, Any] = {"samplerate": RATE_HZ, "channels": 1, "dtype": "int16"}
        try:
            self._streams = [
                sounddevice.RawInputStream(callback=self._on_input, **settings),
                sounddevice.RawOutputStream(callback=self._on_output, **settings),
            ]
            for stream in self._streams:
                stream.start()
        except sounddevice.PortAudioError as error:
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
        for stream in self._streams:
            stream.close()
        self._streams = []

    def _on_input(self, data: Any, frames: int, time: Any, status: Any) -> None:
        if self.on_sound is not None:
            pcm = np.frombuffer(bytes(data), "<i2")
            self._loop.call_soon_threadsafe(self.on_sound, pcm)

    def _on_output(self, data: Any, frames: int, time: Any, status: Any) -> None:
        with self._lock:
            pcm = bytes(self._waiting[: 2 * frames])
            del self._waiting[: 2 * frames]
        data[:] = pcm.ljust(2 * frames, b"\0")
