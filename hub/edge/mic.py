"""A robot's microphone on its way into the session: in order, once, and not all at once."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from hub.counters import Counters
from protocols.messages.audio import MIC_RATE_HZ

MAX_SAMPLE = 2**53
"""Sample numbers stay exact in every language's numbers."""
SLICE_SAMPLES = MIC_RATE_HZ // 10
"""Longest piece handed on."""
_BURST_SAMPLES = MIC_RATE_HZ
"""What is handed on at once: half of what may wait in the media lane."""
_BURST_EVERY_S = 0.025


class Piece(NamedTuple):
    """Mono s16le 16 kHz from ``first_sample`` of the capture clock on."""

    first_sample: int
    pcm: bytes
    playout_sample: int


class MicTrack:
    """Position on the capture clock. Pure; samples are let through once and in order.

    A gap stays a gap. What is behind the position came twice or too late: it is cut off.
    """

    def __init__(self, playout_per_sample: float = 1.0) -> None:
        self._playout_per_sample = playout_per_sample
        self._next = 0

    @property
    def position(self) -> int:
        """The next sample that is expected."""
        return self._next

    def place(self, piece: Piece) -> tuple[Piece | None, int]:
        """The part of ``piece`` that is new, and how many of its samples were not."""
        samples = len(piece.pcm) // 2
        old = self._next - piece.first_sample
        if old <= 0 < samples:
            self._next = piece.first_sample + samples
            return piece, 0
        old = min(samples, max(0, old))
        if old == samples:
            return None, old
        self._next = piece.first_sample + samples
        return _slice(piece, old, samples - old, self._playout_per_sample), old


def _slice(piece: Piece, start: int, samples: int, playout_per_sample: float) -> Piece:
    """At most ``samples`` samples of ``piece`` from its sample ``start`` on."""
    if start == 0 and len(piece.pcm) <= 2 * samples:
        return piece
    playout = piece.playout_sample
    if playout >= 0:
        playout += round(start * playout_per_sample)
    pcm = piece.pcm[2 * start : 2 * (start + samples)]
    return Piece(piece.first_sample + start, pcm, playout)


class Intake:
    """Hands microphone audio to a session, a second of it at once and the rest within moments.

    A stalled network delivers seconds in one burst, which would overrun the media lane's bound.
    ``after`` keeps the order between audio and a message about it.
    """

    def __init__(
        self,
        deliver: Callable[[int, bytes, int], None],
        counters: Counters,
        playout_rate_hz: int = MIC_RATE_HZ,
    ) -> None:
        self._deliver = deliver
        self._counters = counters
        self._playout_per_sample = playout_rate_hz / MIC_RATE_HZ
        self._track = MicTrack(self._playout_per_sample)
        self._waiting: deque[Piece | Callable[[], None]] = deque()
        self._time = asyncio.get_running_loop().time
        self._timer: asyncio.TimerHandle | None = None
        self._window_end_s = 0.0
        self._left = _BURST_SAMPLES

    @property
    def position(self) -> int:
        """The next sample of the capture clock."""
        return self._track.position

    def feed(self, piece: Piece) -> None:
        """Take audio from the wire."""
        placed, old = self._track.place(piece)
        if old:
            self._counters.count("mic_samples.repeated", old)
        if placed is None:
            return
        if len(placed.pcm) <= 2 * SLICE_SAMPLES:
            self._take(placed)
            return
        for start in range(0, len(placed.pcm) // 2, SLICE_SAMPLES):
            self._take(_slice(placed, start, SLICE_SAMPLES, self._playout_per_sample))

    def after(self, action: Callable[[], None]) -> None:
        """Run ``action`` once all audio fed so far is handed on."""
        if self._waiting:
            self._waiting.append(action)
        else:
            action()

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _take(self, piece: Piece) -> None:
        if self._waiting or not self._spend(len(piece.pcm) // 2):
            self._waiting.append(piece)
            self._arm()
        else:
            self._deliver(*piece)

    def _spend(self, samples: int) -> bool:
        now_s = self._time()
        if now_s >= self._window_end_s:
            self._window_end_s = now_s + _BURST_EVERY_S
            self._left = _BURST_SAMPLES
        if samples > self._left:
            return False
        self._left -= samples
        return True

    def _arm(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._window_end_s, self._drain)

    def _drain(self) -> None:
        self._timer = None
        while self._waiting:
            head = self._waiting[0]
            if isinstance(head, Piece):
                if not self._spend(len(head.pcm) // 2):
                    self._arm()
                    return
                self._waiting.popleft()
                self._deliver(*head)
            else:
                self._waiting.popleft()
                head()
