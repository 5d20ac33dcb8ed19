"""What a robot hears: marked sound around what its user says, and nothing of the long silence."""

import asyncio
from collections import deque
from collections.abc import Callable

from protocols.marks import MarkKind, marked_chunk

CHUNK_S = 0.1
CHUNK_SAMPLES = 1_600
_SILENCE_CHUNKS = 6
_SILENCE = marked_chunk(MarkKind.STOP, CHUNK_SAMPLES)


class Microphone:
    """Captures a chunk every 100 ms while there is anything to hear, and for a while after it.

    ``send`` takes the first sample, counted from ``restart`` on, and the sound, if there is a link.
    """

    def __init__(self, send: Callable[[int, bytes], None]) -> None:
        self._send = send
        self._waiting: deque[bytes] = deque()
        self._at_s = self._base_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def restart(self) -> None:
        """Another connection counts samples from its beginning."""
        self._base_s = asyncio.get_running_loop().time()
        self._hear([])

    def say(self, text: str, ms: int) -> None:
        """Somebody says ``text`` for ``ms``."""
        start, size = marked_chunk(MarkKind.START, CHUNK_SAMPLES, text), 2 * CHUNK_SAMPLES
        sound = [start[i : i + size].ljust(size, b"\0") for i in range(0, len(start), size)]
        sound += [bytes(size)] * (round(ms / 1_000 / CHUNK_S) - len(sound))
        self._hear(sound)

    def _hear(self, sound: list[bytes]) -> None:
        while self._waiting and self._waiting[-1] is _SILENCE:
            self._waiting.pop()
        self._waiting.extend([*sound, *[_SILENCE] * _SILENCE_CHUNKS])
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._at_s = loop.time()
            self._timer = loop.call_later(CHUNK_S, self._capture)

    def _capture(self) -> None:
        """The chunk that ends now."""
        self._timer = None
        chunk = self._waiting.popleft()
        if self._at_s >= self._base_s:
            self._send(round((self._at_s - self._base_s) * 16_000), chunk)
        self._at_s += CHUNK_S
        if self._waiting:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._at_s + CHUNK_S, self._capture)
