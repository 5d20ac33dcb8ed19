"""Ears that hear marks instead of voices, so that a test or a bench decides to the sample."""

from collections.abc import Callable, Sequence

from agents.ears.backends.base import Heard
from protocols.marks import GRID_SAMPLES, MarkKind, find_marks


class _Memory:
    __slots__ = ("speaking",)

    def __init__(self) -> None:
        self.speaking = False


class ScriptedActivity:
    """Voice from a start mark up to a stop mark (``protocols/marks.py``), else silence."""

    name = "scripted"
    window = GRID_SAMPLES

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    def memory(self) -> _Memory:
        return _Memory()

    def score(self, heard: Sequence[Heard]) -> list[float]:
        """See ``VoiceActivity``."""
        return [self._score_one(memory, pcm) for memory, pcm in heard]

    def _score_one(self, memory: _Memory, pcm: bytes) -> float:
        for found in find_marks(pcm):
            memory.speaking = found.kind is MarkKind.START
        return 1.0 if memory.speaking else 0.0


class ScriptedTurnModel:
    """Answers by a function of the sound it is asked about; ``asked`` holds every question."""

    name = "scripted"

    def __init__(self, answer: Callable[[bytes], float] = lambda _: 1.0) -> None:
        self._answer = answer
        self.asked: list[bytes] = []

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    def judge(self, pcm: bytes) -> float:
        """See ``TurnModel``."""
        self.asked.append(pcm)
        return self._answer(pcm)
