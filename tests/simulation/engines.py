"""Engines that a seed drives, and words that can be told apart at the loudspeaker.

Every word of an answer is new, and its sound is a constant level that no other word has. So what
really left a loudspeaker is known to 10 ms, whatever the hub and the robot believe.
"""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable

from agents.planner.backends.scripted import ScriptedPlanner
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.tts.backends.base import Lead, Marks, Sound, no_lead
from agents.tts.prosody import Prosody
from protocols.messages.speech import WordMark
from protocols.messages.turn import TurnStart
from tests.simulation.plan import NAMES

WORD_MS = 200
RATE_HZ = 8_000
DUCK_GAIN = 10 ** (-15.0 / 20)
_FIRST_LEVEL, _STEP = 20_000, 6
_SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


class Words:
    """The words of one seed. ``robot_of`` and ``turn_of`` know those of answers."""

    def __init__(self) -> None:
        self.robot_of: dict[str, str] = {}
        self.turn_of: dict[str, int] = {}
        self._levels: dict[str, int] = {}
        self._by_level: dict[int, str] = {}

    def fresh(self, robot: str, count: int) -> list[str]:
        """New words for an answer to ``robot`` ("": to one that is not known)."""
        made = []
        for _ in range(count):
            at, base = len(self._levels), len(_SYLLABLES)
            word = _SYLLABLES[at // base % base] + _SYLLABLES[at % base] + "x"
            if robot:
                self.robot_of[word] = robot
            self.level(word)
            made.append(word)
        return made

    def level(self, word: str) -> int:
        """The sample that ``word`` sounds as."""
        word = word.strip(".,!?").lower()
        level = self._levels.get(word)
        if level is None:
            level = self._levels[word] = _FIRST_LEVEL + _STEP * len(self._levels)
            self._by_level[level] = self._by_level[int(level * DUCK_GAIN)] = word
        return level

    def heard(self, sample: int) -> str:
        """The word that sounds as ``sample``; empty for silence."""
        return self._by_level.get(sample, "") if sample else ""

    def spoken_in(self, text: str, robot: str, turn: int) -> None:
        """``text`` is spoken in a turn of ``robot``: what was left unsaid, for a second time."""
        for word in text.split():
            word = word.strip(".,!?").lower()
            if self.robot_of.get(word) == robot:
                self.turn_of[word] = turn


class SeededPlanner(ScriptedPlanner):
    """Answers whom it is asked about, in words of its own; late, broken or nonsense by chance."""

    def __init__(
        self,
        words: Words,
        chance: random.Random,
        faulty: Callable[[], bool],
        asked: Callable[[str, TurnStart], None],
    ) -> None:
        super().__init__()
        self._words, self._chance, self._faulty, self._asked = words, chance, faulty, asked

    async def answer(self, turn: TurnStart) -> AsyncGenerator[str, None]:
        chance = self._chance
        robot = next((word for word in turn.user_text.split() if word in NAMES), "")
        self._asked(robot, turn)
        count = 2 if "probe" in turn.user_text else chance.choice((2, 4, 6, 6, 9, 9, 26))
        words = self._words.fresh(robot, count)
        for at in range(4, count, 5):
            words[at] += chance.choice((".", "."))
        mood: dict[str, object] = {"emotion": chance.choice(("happy", "neutral", "sad"))}
        if chance.random() < 0.3:
            mood["gestures"] = ["nod"]
        if chance.random() < 0.3:
            mood["actions"] = [{"action": "gesture", "name": "nod"}] * chance.randint(1, 3)
        text = json.dumps({**mood, "text": " ".join(words) + "."})
        await asyncio.sleep(chance.choice((0.0, 0.02, 0.3, 0.6)))
        if self._faulty() and chance.random() < 0.25:
            match chance.randrange(4):
                case 0:
                    raise BackendUnavailable("gone")
                case 1:
                    text = '{"emotion": "neutral", "text": ""}'
                case 2:
                    await asyncio.sleep(chance.uniform(1.0, 6.0))
                case 3:
                    yield text[: len(text) // 2]
                    raise AgentError("broke off", "llm_failed")
        cut = len(text) // 2
        yield text[:cut]
        if chance.random() < 0.5:
            await asyncio.sleep(chance.uniform(0.0, 0.4))
        yield text[cut:]


class SeededVoice:
    """Speaks each word as its level, for ``WORD_MS``."""

    name = "seeded"
    capacity = 1_024
    rate_hz = RATE_HZ

    def __init__(self, words: Words, chance: random.Random, faulty: Callable[[], bool]) -> None:
        self._words, self._chance, self._faulty = words, chance, faulty

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    async def speak(
        self, text: str, prosody: Prosody, language: str, voice: str, lead: Lead = no_lead
    ) -> AsyncGenerator[Sound | Marks, None]:
        spoken, long = text.split(), WORD_MS
        marks = (WordMark(word, at * long, (at + 1) * long) for at, word in enumerate(spoken))
        yield Marks(tuple(marks))
        fails_at = self._chance.randrange(40) if self._faulty() else -1
        for at, word in enumerate(spoken):
            if at == fails_at:
                raise AgentError("the voice broke", "tts_failed")
            if self._faulty() and self._chance.random() < 0.05:
                await asyncio.sleep(self._chance.uniform(0.1, 0.8))
            level = self._words.level(word).to_bytes(2, "little", signed=True)
            yield Sound(level * (RATE_HZ * WORD_MS // 1_000))
