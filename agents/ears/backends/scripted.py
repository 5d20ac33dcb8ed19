"""Ears that hear marks instead of voices, so that a test or a bench decides to the sample."""

from collections.abc import Callable, Sequence

from agents.ears.backends.base import Call, Heard
from protocols.marks import GRID_SAMPLES, MarkKind, find_marks


class _Memory:
    __slots__ = ("speaking",)

    def __init__(self) -> None:
        self.speaking = False


class ScriptedActivity:
    """Voice from a start mark up to a stop mark (``protocols/marks.py``) and in a wake mark, else
    silence."""

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
        marks = find_marks(pcm)
        for found in marks:
            if found.kind is not MarkKind.WAKE:
                memory.speaking = found.kind is MarkKind.START
        called = any(found.kind is MarkKind.WAKE for found in marks)
        return 1.0 if memory.speaking or called else 0.0


class ScriptedWake:
    """Hears wake marks; the text of one is the word."""

    name = "scripted"
    lag_samples = 0

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    def memory(self) -> None:
        return None

    def hear(self, memory: None, pcm: bytes) -> Call | None:
        """See ``WakeWord``."""
        words = [found.text for found in find_marks(pcm) if found.kind is MarkKind.WAKE]
        return Call(words[-1], 1.0) if words else None


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
