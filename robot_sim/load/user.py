"""The user of a light robot: when somebody speaks, what, and whether the answer is barged into.

Pure: every call is told the time, and a seed decides the rest. What is said is a mark
(``protocols/marks.py``), so the hub must run in bench mode; its planner repeats what it hears.
"""

import random
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

from protocols.marks import MarkKind, marked_chunk
from protocols.messages.audio import MIC_RATE_HZ

CHUNK_MS = 20
CHUNK_SAMPLES = MIC_RATE_HZ * CHUNK_MS // 1000
SILENCE = bytes(2 * CHUNK_SAMPLES)
_STOP = marked_chunk(MarkKind.STOP, CHUNK_SAMPLES)
_NS = 1_000_000_000
_WORDS = ("one", "two", "three", "more", "words", "of", "a", "story", "about", "robots")
_SPOKEN_WORD_S = 0.2
"""How long the scripted voice takes for a word (``agents/tts/backends/scripted.py``)."""


class _Phase(Enum):
    THINKING = auto()
    SPEAKING = auto()
    WAITING = auto()
    LISTENING = auto()
    GONE = auto()


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How a user talks. ``talk`` is the share of time in which the user speaks; ``barges`` and
    ``cancels`` are shares of the answers that are cut by voice and by the stop button."""

    talk: float = 0.3
    barges: float = 0.12
    cancels: float = 0.03
    utterance_s: tuple[float, float] = (0.8, 3.0)
    answer_words: tuple[int, int] = (4, 20)
    shortest_pause_s: float = 0.2
    patience_s: float = 10.0
    """An answer that has not begun by then will not come."""


class Saying(Enum):
    """What the user does beside listening, for the robot to act on."""

    BEGAN = auto()
    """The chunk begins an utterance."""
    BARGED = auto()
    """The chunk begins one over the robot's voice."""
    ENDED = auto()
    """The chunk ends an utterance."""
    GAVE_UP = auto()
    """Within the user's patience no answer has begun, or one that began has not ended."""
    PRESSED_STOP = auto()
    """The stop button was pressed while the robot spoke."""


class User:
    """See the module. ``question`` is the text that was asked last; it begins with ``name`` and a
    number, so that a robot knows its own answers from any other."""

    def __init__(self, name: str, habits: Habits, seed: str, now_ns: int) -> None:
        self.name = name
        self.question = ""
        self._habits = habits
        self._random = random.Random(seed)
        self._born_ns = now_ns
        self._spoken_ns = 0
        self._asked = 0
        self._words = 0
        self._chunks: deque[bytes] = deque()
        self._phase = _Phase.THINKING
        cycle_s = sum(habits.utterance_s) / 2 / habits.talk
        self._due_ns = now_ns + int(self._random.uniform(0, cycle_s) * _NS)
        self._cut_ns, self._by_voice = 0, True
        self._leaves = self._asked_last = False

    @property
    def speaks(self) -> bool:
        return self._phase is _Phase.SPEAKING

    @property
    def waits(self) -> bool:
        """Whether an answer is expected that has not begun."""
        return self._phase is _Phase.WAITING

    @property
    def gone(self) -> bool:
        """Whether the last question was asked and is over."""
        return self._phase is _Phase.GONE

    def leave(self, now_ns: int) -> None:
        """Ask one last thing, as soon as what is going on is over; then stay silent."""
        self._leaves, self._cut_ns = True, 0
        if self._phase is _Phase.THINKING:
            self._due_ns = now_ns

    def next_chunk(self, now_ns: int) -> tuple[bytes, Saying | None]:
        """What the microphone hears in these 20 ms, and what goes on in them."""
        match self._phase:
            case _Phase.SPEAKING:
                return self._go_on(now_ns)
            case _Phase.THINKING if now_ns >= self._due_ns:
                return self._speak(), Saying.BEGAN
            case _Phase.WAITING | _Phase.LISTENING if now_ns >= self._due_ns:
                self.answer_over(now_ns)
                return SILENCE, Saying.GAVE_UP
            case _Phase.LISTENING if 0 < self._cut_ns <= now_ns:
                self._cut_ns = 0
                if self._by_voice:
                    return self._speak(), Saying.BARGED
                return SILENCE, Saying.PRESSED_STOP
        return SILENCE, None

    def answer_began(self, now_ns: int) -> None:
        """The first sound of the answer is here."""
        if self._phase is not _Phase.WAITING:
            return
        self._phase = _Phase.LISTENING
        answer_s = self._words * _SPOKEN_WORD_S
        self._due_ns = now_ns + int((answer_s + self._habits.patience_s) * _NS)
        chance, part = self._random.random(), self._random.uniform(0.2, 0.7)
        self._by_voice = chance < self._habits.barges
        cuts = chance < self._habits.barges + self._habits.cancels and not self._leaves
        self._cut_ns = now_ns + int(part * answer_s * _NS) if cuts else 0

    def answer_over(self, now_ns: int) -> None:
        """The answer has ended, or none will come: the user thinks about the next question."""
        if self._phase not in (_Phase.WAITING, _Phase.LISTENING):
            return
        self._phase = _Phase.GONE if self._asked_last else _Phase.THINKING
        self._due_ns = now_ns + (0 if self._leaves else self._pause_ns(now_ns))

    def disconnected(self, now_ns: int) -> None:
        """What was being said has reached nobody; it is said again."""
        if self._phase is _Phase.SPEAKING:
            self._chunks.clear()
            self._phase, self._due_ns, self._asked_last = _Phase.THINKING, now_ns, False

    def _pause_ns(self, now_ns: int) -> int:
        """As long as brings the share of time in which the user has spoken back to ``talk``."""
        idle_ns = int(self._spoken_ns / self._habits.talk) - (now_ns - self._born_ns)
        shortest_ns = self._habits.shortest_pause_s * _NS
        return int(max(shortest_ns, idle_ns * self._random.uniform(0.5, 1.5)))

    def _speak(self) -> bytes:
        """Begin an utterance; return its first chunk."""
        self._asked += 1
        self._asked_last = self._leaves
        self._phase = _Phase.SPEAKING
        self._words = self._random.randint(*self._habits.answer_words)
        words = self._random.choices(_WORDS, k=max(0, self._words - 2))
        self.question = " ".join((self.name, str(self._asked), *words))
        start = marked_chunk(MarkKind.START, CHUNK_SAMPLES, self.question)
        first, *others = (
            start[at : at + len(SILENCE)] for at in range(0, len(start), len(SILENCE))
        )
        chunks = int(self._random.uniform(*self._habits.utterance_s) * 1000 / CHUNK_MS)
        self._chunks.extend(others)
        self._chunks.extend([SILENCE] * (chunks - len(others) - 2))
        self._chunks.append(_STOP)
        self._spoken_ns += CHUNK_MS * 1_000_000
        return first

    def _go_on(self, now_ns: int) -> tuple[bytes, Saying | None]:
        chunk = self._chunks.popleft()
        self._spoken_ns += CHUNK_MS * 1_000_000
        if self._chunks:
            return chunk, None
        self._phase = _Phase.WAITING
        self._due_ns = now_ns + int(self._habits.patience_s * _NS)
        return chunk, Saying.ENDED
