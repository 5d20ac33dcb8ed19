"""The words of responses and when they sound, so that a playhead can be read as text."""

import msgspec

from protocols.messages.robot import SpeechText
from protocols.messages.speech import WordMark

_TURNS_KEPT = 64


class Captions:
    """Word marks of the last turns, in the order of their phrases."""

    def __init__(self) -> None:
        self._turns: dict[int, dict[int, SpeechText]] = {}

    def add(self, text: SpeechText) -> None:
        """Take the words of a phrase: the first ones, or further ones as the voice makes them."""
        phrases = self._turns.setdefault(text.turn, {})
        known = phrases[text.phrase].words if text.phrase in phrases else ()
        new = tuple(word for word in text.words if word not in known)
        phrases[text.phrase] = msgspec.structs.replace(text, words=known + new)
        while len(self._turns) > _TURNS_KEPT:
            del self._turns[next(iter(self._turns))]

    def words(self, turn: int) -> list[WordMark]:
        """All words of ``turn`` that have been announced."""
        phrases = self._turns.get(turn, {})
        return [word for phrase in sorted(phrases) for word in phrases[phrase].words]

    def answer(self, turn: int, response_text: str) -> list[WordMark]:
        """The words of ``turn`` that belong to its answer: fillers come before it and do not."""
        phrases = self._turns.get(turn, {})
        answer = [phrases[phrase] for phrase in sorted(phrases)]
        text = _letters(response_text)
        while answer and not text.startswith(_letters(answer[0].text)):
            del answer[0]
        return [word for phrase in answer for word in phrase.words]

    def heard(self, turn: int, played_ms: float) -> list[str]:
        """The words of ``turn`` that have sounded in full."""
        return [word.text for word in self.words(turn) if word.end_ms <= played_ms]

    def begun(self, turn: int, played_ms: float) -> list[str]:
        """The words of ``turn`` that have at least begun to sound."""
        return [word.text for word in self.words(turn) if word.start_ms < played_ms]


def is_heard_prefix(
    heard_text: str, words: list[WordMark], played_ms: float, tolerance_ms: float
) -> bool:
    """Whether ``heard_text`` is the words that end by ``played_ms``, give or take the tolerance.

    Spaces, case and punctuation do not count: only which words were heard does.
    """
    heard = _letters(heard_text)
    prefix = ""
    for count in range(len(words) + 1):
        if count:
            prefix += _letters(words[count - 1].text)
        surely_more = count < len(words) and words[count].end_ms <= played_ms - tolerance_ms
        surely_less = count > 0 and words[count - 1].end_ms > played_ms + tolerance_ms
        if heard == prefix and not surely_more and not surely_less:
            return True
    return False


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
