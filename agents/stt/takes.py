"""The utterances of one session whose sound is coming in, in the order they were begun."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from protocols.messages.audio import MIC_RATE_HZ

SAMPLE_BYTES = 2
MEDIA_WAIT_S = 0.5
"""How long an utterance that is to be finished waits for sound that has not come."""
MAX_WAITING_BYTES = 30 * MIC_RATE_HZ * SAMPLE_BYTES
"""Sound a session may have waiting for its recogniser; what comes beyond it is lost, counted."""
PIECE_BYTES = MIC_RATE_HZ * SAMPLE_BYTES
"""Most that one step of the recogniser is given, so that a drop is noticed within it."""


class Take:
    """One utterance. Whoever reads it is woken by every change."""

    def __init__(self, utterance: int, clock: Callable[[], float]) -> None:
        self.utterance = utterance
        self.dropped = False
        self.waiting_bytes = 0
        self._clock = clock
        self._pieces: deque[bytes] = deque()
        self._end = 0
        self._last: int | None = None
        self._deadline = 0.0
        self._changed = asyncio.Event()
        self._leave: Callable[[], None] | None = None

    def add(self, first_sample: int, pcm: bytes) -> None:
        """Take a chunk; sound of one source comes in order, so it ends what is missing."""
        self._end = max(self._end, first_sample + len(pcm) // SAMPLE_BYTES)
        self._pieces.append(pcm)
        self.waiting_bytes += len(pcm)
        self._changed.set()

    def finish(self, last_sample: int) -> None:
        """Nothing follows sample ``last_sample`` (exclusive)."""
        if self._last is None:
            self._last = last_sample
            self._deadline = self._clock() + MEDIA_WAIT_S
            self._changed.set()

    @property
    def finishing(self) -> bool:
        return self._last is not None

    def drop(self) -> None:
        """Nobody wants it any more."""
        self.dropped = True
        self._changed.set()
        if self._leave is not None:
            self._leave()

    @asynccontextmanager
    async def while_wanted(self) -> AsyncIterator[None]:
        """Around what may take long: a drop ends it where it is, and goes on behind it."""
        try:
            async with asyncio.timeout(None) as patience:
                self._leave = lambda: patience.reschedule(self._clock())
                yield
        except TimeoutError:
            if not patience.expired():
                raise
        finally:
            self._leave = None

    def missing(self) -> int:
        """Samples at the end that were promised and did not come."""
        return max((self._last or 0) - self._end, 0)

    async def next_piece(self) -> bytes:
        """The next sound; empty when it is complete, overdue or dropped."""
        while not self.dropped:
            if self._pieces:
                return self._take_piece()
            if self._last is not None and not self.missing():
                break
            self._changed.clear()
            if not self.finishing:
                await self._changed.wait()
                continue
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._changed.wait()
            except TimeoutError:
                break
        return b""

    def _take_piece(self) -> bytes:
        piece = bytearray()
        while self._pieces and (not piece or len(piece) + len(self._pieces[0]) <= PIECE_BYTES):
            piece += self._pieces.popleft()
        self.waiting_bytes -= len(piece)
        return bytes(piece)


class Takes:
    """Takes wait here for the recogniser, oldest first. Utterance numbers only grow, so one that
    is at or below ``settled`` is over, and its late sound is thrown away."""

    def __init__(self, counters: Counter[str], clock: Callable[[], float]) -> None:
        self._counters, self._clock = counters, clock
        self._open: dict[int, Take] = {}
        self._settled = 0
        self._arrived = asyncio.Event()

    def add(self, utterance: int, first_sample: int, pcm: bytes) -> None:
        """Sound of an utterance."""
        if not pcm or len(pcm) % SAMPLE_BYTES:
            self._counters["bad_audio"] += 1
            return
        take = self._take(utterance)
        if take is None or take.dropped:
            self._counters["late_audio"] += 1
        elif sum(t.waiting_bytes for t in self._open.values()) + len(pcm) > MAX_WAITING_BYTES:
            self._counters["recogniser_too_slow"] += 1
        else:
            take.add(first_sample, pcm)

    def finish(self, utterance: int, last_sample: int) -> None:
        """Transcribe ``utterance``; earlier ones that nobody asked for are over."""
        for other in list(self._open.values()):
            if other.utterance < utterance and not other.finishing:
                self._counters["never_finished"] += 1
                other.drop()
        take = self._take(utterance)
        if take is None:
            self._counters["late_finish"] += 1
        else:
            take.finish(last_sample)

    def drop(self, utterance: int) -> None:
        """Forget ``utterance``."""
        take = self._open.get(utterance)
        if take is not None:
            take.drop()
        else:
            self._settled = max(self._settled, utterance)

    async def oldest(self) -> Take:
        """The take to work on; stays the oldest until :meth:`settle`."""
        while not self._open:
            self._arrived.clear()
            await self._arrived.wait()
        return next(iter(self._open.values()))

    def settle(self, take: Take) -> None:
        """Nothing more is wanted of ``take``."""
        self._settled = max(self._settled, take.utterance)
        self._open.pop(take.utterance, None)

    def _take(self, utterance: int) -> Take | None:
        if utterance <= self._settled:
            return None
        if utterance not in self._open:
            self._open[utterance] = Take(utterance, self._clock)
            self._arrived.set()
        return self._open[utterance]
