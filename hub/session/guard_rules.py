"""Phrases that a guard looks for, written down in a small notation and found fast.

A phrase is words between spaces, each of them one of:

    word        itself, with or without apostrophe
    word(s,ed)  itself, or with one of these endings
    a|b|of_it   one of several; an underscore stands for a space
    <set>       one of a named set of words
    word?       perhaps
    ~           up to ``GAP`` other words of the same sentence, none of which denies it
    .           the beginning or the end of a sentence; may be one of several, too
    +word       without one of these nothing is looked at: the rare word of the phrase
"""

import re
from collections.abc import Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

from hub.session.guard_fold import END, Reading, Vocabulary, readings

GAP = 4
DENIALS = (
    "not", "never", "dont", "doesnt", "didnt", "wont", "cant", "cannot", "couldnt", "wouldnt",
    "shouldnt", "mustnt", "isnt", "arent", "wasnt", "nobody", "without",
)  # fmt: skip
_BETWEEN = (
    "ever", "to", "want", "wants", "try", "think", "thinks", "believe", "say", "says", "mean",
    "that", "should", "must", "going", "gonna", "it", "is", "ok", "okay", "i", "you", "we", "will",
    "would", "can", "please", "really", "even", "a", "the", "keep", "have", "need",
)  # fmt: skip
"""Words that may stand between a denial and what it denies."""

_ELEMENT = re.compile(r"(?P<trigger>\+?)(?P<words>\S+?)(?P<maybe>\??)")
_ENDINGS = re.compile(r"(?P<stem>[a-z_0-9]+)(?:\((?P<endings>[a-z,]*)\))?")
_DENY = "|".join(DENIALS)
# "Why not …" and "can't you …" are no denials, they propose.
_DENIED = re.compile(
    rf"(?<! why) (?:{_DENY}) (?!(?:you|we|i) )(?:(?:{'|'.join(_BETWEEN)}) ){{0,3}}$"
)
_GAP = rf"(?:(?!{re.escape(END)} |(?:{_DENY}) )\S+ ){{0,{GAP}}}"
_DENIAL_CHARS = 48
_NOTHING = "(?!)"
"""A pattern that is found nowhere."""

C = TypeVar("C")


class Rule(NamedTuple, Generic[C]):
    """A phrase of a category."""

    category: C
    pattern: re.Pattern[str]
    deniable: bool


class BadPhrase(ValueError):
    """A phrase does not follow the notation."""


class Parsed(NamedTuple):
    """A phrase as a pattern for a ``Reading.line``, the words one of which must occur, and all
    words in it."""

    pattern: re.Pattern[str]
    triggers: frozenset[str]
    words: frozenset[str]


def parse(phrase: str, sets: Mapping[str, str]) -> Parsed:
    """Raises:
    BadPhrase: it does not follow the notation.
    """
    parts, triggers, words = [], set[str](), set[str]()
    for element in phrase.split():
        if element == "~":
            parts.append(_GAP)
            continue
        match = _ELEMENT.fullmatch(element)
        if match is None:
            raise BadPhrase(f"{element!r} in {phrase!r}")
        choices = list(_choices(match["words"], sets))
        for choice in choices:
            words.update(word for word in choice.split() if word != END)
        if match["trigger"]:
            # Of several words one is enough; the longest is seldom a common one.
            triggers.update(max(choice.split(), key=len) for choice in choices)
        parts.append(f"(?:{'|'.join(map(re.escape, choices))}) ")
        if match["maybe"]:
            parts[-1] = f"(?:{parts[-1]})?"
    if not triggers:
        raise BadPhrase(f"no word of {phrase!r} is marked by +")
    return Parsed(re.compile("(?<= )" + "".join(parts)), frozenset(triggers), frozenset(words))


def _choices(text: str, sets: Mapping[str, str]) -> Iterable[str]:
    for choice in text.split("|"):
        if choice.startswith("<"):
            if choice not in sets:
                raise BadPhrase(f"unknown set {choice}")
            for word in sets[choice].split():
                yield from _choices(word, sets)
            continue
        if choice == END:
            yield END
            continue
        match = _ENDINGS.fullmatch(choice)
        if match is None:
            raise BadPhrase(f"{choice!r} is no word")
        stem = match["stem"].replace("_", " ")
        yield stem
        if match["endings"]:
            yield from (stem + ending for ending in match["endings"].split(","))


class Lexicon(Generic[C]):
    """All rules of one direction, with an index from the rare word of each to its rules."""

    def __init__(
        self,
        phrases: Mapping[C, Iterable[str]],
        sets: Mapping[str, str],
        harmless: Iterable[str],
        deniable: frozenset[C] = frozenset(),
    ) -> None:
        """``harmless`` phrases count for nothing, wherever they stand; a phrase of a ``deniable``
        category is none behind a word like "never"."""
        by_word: dict[str, list[int]] = {}
        self.rules: list[Rule[C]] = []
        words: set[str] = set()
        for category, texts in phrases.items():
            for text in texts:
                parsed = parse(text, sets)
                for word in parsed.triggers:
                    by_word.setdefault(word, []).append(len(self.rules))
                self.rules.append(Rule(category, parsed.pattern, category in deniable))
                words |= parsed.words
        self._by_word: Mapping[str, tuple[int, ...]] = {w: tuple(n) for w, n in by_word.items()}
        self._triggers = frozenset(by_word)
        self._vocabulary = Vocabulary(words, self._triggers)
        masks = (parse(text, sets).pattern.pattern for text in harmless)
        self._harmless = re.compile("|".join(masks) or _NOTHING)

    def found_in(self, seen: str) -> frozenset[int]:
        """The numbers of the rules that a visible text breaks; the lower, the graver."""
        found: set[int] = set()
        for reading in readings(seen, self._vocabulary):
            if not self._triggers.isdisjoint(reading.words):
                found.update(self._broken_by(reading))
        return frozenset(found)

    def _broken_by(self, reading: Reading) -> Iterable[int]:
        line = reading.line
        suspects = {
            number
            for word in self._triggers.intersection(reading.words)
            for number in self._by_word[word]
            if self.rules[number].pattern.search(line)
        }
        if suspects:
            line = self._harmless.sub("_ ", line)
        return (number for number in suspects if _is_broken(self.rules[number], line))


def _is_broken(rule: Rule[C], line: str) -> bool:
    return any(
        not (rule.deniable and _is_denied(line, match.start()))
        for match in rule.pattern.finditer(line)
    )


def _is_denied(line: str, at: int) -> bool:
    return _DENIED.search(line[max(0, at - _DENIAL_CHARS) : at]) is not None
