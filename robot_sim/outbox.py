"""Frames of a robot that wait to be sent, with the faults that were asked for."""

import asyncio
import heapq
from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from robot_sim.faults import FaultPlan

MAX_WAITING_MEDIA = 100
"""Two seconds of microphone; what is older is not worth sending."""
MAX_WAITING_PICTURES = 2
"""What waits before a chunk of the microphone delays it: rather lose a picture."""


class Kind(StrEnum):
    """What a frame is, by how it may be lost."""

    CONTROL = "control"
    MIC = "mic"
    PICTURE = "picture"


_BOUNDS = {
    Kind.MIC: (MAX_WAITING_MEDIA, "mic_overrun"),
    Kind.PICTURE: (MAX_WAITING_PICTURES, "picture_overrun"),
}


class _Waiting(NamedTuple):
    due_s: float
    number: int
    kind: Kind
    frame: str | bytes


class Outbox:
    """Gives frames out in the order of the time from which they may be sent.

    ``counters``: media frames dropped as too old (``mic_overrun``, ``picture_overrun``), frames the
    plan dropped or doubled (``faults_dropped``, ``faults_doubled``).
    """

    def __init__(self, plan: FaultPlan, counters: Counter[str]) -> None:
        self._plan = plan
        self._counters = counters
        self._heap: list[_Waiting] = []
        self._number_of: Counter[Kind] = Counter()
        self._count = 0
        self._filled = asyncio.Event()

    def put(self, frame: str | bytes, kind: Kind | None = None) -> None:
        """Queue a frame; without a ``kind``, text is control and bytes are the microphone's."""
        kind = kind or (Kind.MIC if isinstance(frame, bytes) else Kind.CONTROL)
        delays = self._plan.delays_s()
        if len(delays) != 1:
            self._counters["faults_doubled" if delays else "faults_dropped"] += 1
        now = asyncio.get_running_loop().time()
        for delay in delays:
            self._count += 1
            self._number_of[kind] += 1
            heapq.heappush(self._heap, _Waiting(now + delay, self._count, kind, frame))
        if kind in _BOUNDS:
            bound, counter = _BOUNDS[kind]
            while self._number_of[kind] > bound:
                self._drop_oldest(kind)
                self._counters[counter] += 1
        self._filled.set()

    async def take(self) -> str | bytes:
        """The next frame, once it may be sent."""
        loop = asyncio.get_running_loop()
        while True:
            self._filled.clear()
            wait = self._heap[0].due_s - loop.time() if self._heap else None
            if wait is not None and wait <= 0:
                next_ = heapq.heappop(self._heap)
                self._number_of[next_.kind] -= 1
                return next_.frame
            try:
                async with asyncio.timeout(wait):
                    await self._filled.wait()
            except TimeoutError:
                continue

    def _drop_oldest(self, kind: Kind) -> None:
        oldest = min((w for w in self._heap if w.kind is kind), key=lambda w: w.number)
        self._heap.remove(oldest)
        heapq.heapify(self._heap)
        self._number_of[kind] -= 1
