"""Frames of a robot that wait to be sent, with the faults that were asked for."""

import asyncio
import heapq
from collections import Counter

from robot_sim.faults import FaultPlan

MAX_WAITING_MEDIA = 100
"""Two seconds of microphone; what is older is not worth sending."""


class Outbox:
    """Gives frames out in the order of the time from which they may be sent.

    ``counters``: media frames dropped as too old (``mic_overrun``), frames the plan dropped or
    doubled (``faults_dropped``, ``faults_doubled``).
    """

    def __init__(self, plan: FaultPlan, counters: Counter[str]) -> None:
        self._plan = plan
        self._counters = counters
        self._heap: list[tuple[float, int, str | bytes]] = []
        self._media = 0
        self._count = 0
        self._filled = asyncio.Event()

    def put(self, frame: str | bytes) -> None:
        """Queue a control (str) or media (bytes) frame."""
        delays = self._plan.delays_s()
        if len(delays) != 1:
            self._counters["faults_doubled" if delays else "faults_dropped"] += 1
        now = asyncio.get_running_loop().time()
        for delay in delays:
            self._count += 1
            self._media += isinstance(frame, bytes)
            heapq.heappush(self._heap, (now + delay, self._count, frame))
        while self._media > MAX_WAITING_MEDIA:
            self._drop_oldest_media()
        self._filled.set()

    async def take(self) -> str | bytes:
        """The next frame, once it may be sent."""
        loop = asyncio.get_running_loop()
        while True:
            self._filled.clear()
            wait = self._heap[0][0] - loop.time() if self._heap else None
            if wait is not None and wait <= 0:
                frame = heapq.heappop(self._heap)[2]
                self._media -= isinstance(frame, bytes)
                return frame
            try:
                async with asyncio.timeout(wait):
                    await self._filled.wait()
            except TimeoutError:
                continue

    def _drop_oldest_media(self) -> None:
        oldest = min((item for item in self._heap if isinstance(item[2], bytes)), key=_number)
        self._heap.remove(oldest)
        heapq.heapify(self._heap)
        self._media -= 1
        self._counters["mic_overrun"] += 1


def _number(item: tuple[float, int, str | bytes]) -> int:
    return item[1]
