"""A sound library whose streams a test drives by hand."""

from collections.abc import Callable
from typing import Any


class PortAudioError(Exception):
    """What the library raises."""


class FakeStream:
    """Asks for sound, or brings some, when told."""

    latency = 0.05

    def __init__(self, callback: Callable[..., None], **settings: Any) -> None:
        self._callback = callback
        self.settings = settings
        self.open = False

    def start(self) -> None:
        self.open = True

    def close(self) -> None:
        self.open = False

    def bring(self, pcm: bytes) -> None:
        """The microphone has heard ``pcm``."""
        self._callback(pcm, len(pcm) // 2, None, None)

    def ask(self, samples: int) -> bytes:
        """What the loudspeaker sounds next."""
        data = bytearray(2 * samples)
        self._callback(memoryview(data), samples, None, None)
        return bytes(data)


class FakeSoundCard:
    """Stands for the module; ``broken`` has no device."""

    PortAudioError = PortAudioError

    def __init__(self, *, broken: bool = False) -> None:
        self._broken = broken
        self.streams: list[FakeStream] = []

    def _stream(self, **settings: Any) -> FakeStream:
        if self._broken:
            raise PortAudioError("no device")
        self.streams.append(FakeStream(**settings))
        return self.streams[-1]

    RawInputStream = RawOutputStream = _stream
