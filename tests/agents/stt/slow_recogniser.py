"""A recogniser that takes its time."""

import asyncio

from agents.stt.backends.base import Hypothesis, Transcript


class SlowRecogniser:
    """Every call takes ``seconds_per_call``. One stream is enough for a test."""

    name = "slow"
    model = ""
    capacity = 1

    def __init__(self, seconds_per_call: float) -> None:
        self._seconds = seconds_per_call
        self.fed_bytes = 0
        self.closed = 0

    async def start(self) -> None:
        """Nothing to load."""

    def stream(self, language: str) -> "SlowRecogniser":
        return self

    async def feed(self, pcm: bytes) -> Hypothesis | None:
        self.fed_bytes += len(pcm)
        await asyncio.sleep(self._seconds)
        return None

    async def finish(self) -> Transcript:
        await asyncio.sleep(self._seconds)
        return Transcript("done")

    async def reset(self) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        self.closed += 1
