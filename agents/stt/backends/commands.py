"""What people say to robots: a grammar, and when to trust it over dictation.

A grammar hears short commands far better than a language model does, but it hears a command in
anything. So both listen, and the grammar wins where the two results *sound* alike: their phonemes
are compared, since a misheard "find the red ball" ("find the red bull") is close in sound, and a
sentence that is no command is not.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

GRAMMAR = Path(__file__).with_name("robot.gram")

ALIKE = 0.4
"""Distance per phoneme up to which two whole results may be the same sentence."""
ALIKE_WHERE_THEY_DIFFER = 0.7
"""The same for the words in which they differ: one word that sounds quite different is another
word, however much the rest agrees."""
ALIKE_SHORT = 0.7
"""The only limit for results of at most ``SHORT`` phonemes, which dictation hears badly."""
SHORT = 7

_CLASSES = {
    phoneme: group
    for group, phonemes in enumerate(
        (
            "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW",
            "P T K B D G",
            "F V TH DH S Z SH ZH HH CH JH",
            "M N NG",
            "L R W Y",
        )
    )
    for phoneme in phonemes.split()
}

Pronounce = Callable[[str], Sequence[str]]
"""The phonemes (ARPABET) of a word."""


def choose(dictated: str, commanded: str, pronounce: Pronounce) -> str:
    """The better of a dictation's and a grammar's result for the same sound."""

    def phonemes(words: Sequence[str]) -> list[str]:
        return [phoneme for word in words for phoneme in pronounce(word)]

    one, other = dictated.split(), commanded.split()
    if not one or not other:
        return dictated
    whole = phonemes(one), phonemes(other)
    if max(map(len, whole)) <= SHORT:
        return commanded if _per_phoneme(*whole) <= ALIKE_SHORT else dictated
    differing: tuple[list[str], list[str]] = [], []
    for operation, i, j, k, m in difflib.SequenceMatcher(None, one, other, False).get_opcodes():
        if operation != "equal":
            differing[0].extend(phonemes(one[i:j]))
            differing[1].extend(phonemes(other[k:m]))
    alike = _per_phoneme(*whole) <= ALIKE and _per_phoneme(*differing) <= ALIKE_WHERE_THEY_DIFFER
    return commanded if alike else dictated


def _per_phoneme(one: Sequence[str], other: Sequence[str]) -> float:
    return distance(one, other) / max(len(one), len(other), 1)


def distance(one: Sequence[str], other: Sequence[str]) -> float:
    """Edit distance of two phoneme sequences; a change within a class costs half."""
    row = [float(j) for j in range(len(other) + 1)]
    for i, a in enumerate(one, 1):
        above, row = row, [float(i)]
        for j, b in enumerate(other, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + _change(a, b)))
    return row[-1]


def _change(a: str, b: str) -> float:
    if a == b:
        return 0.0
    return 0.5 if _CLASSES.get(a, a) == _CLASSES.get(b, b) else 1.0


def sentences(jsgf: str) -> re.Pattern[str]:
    """A pattern that matches every sentence of a grammar, each word followed by a space.

    Knows what ``robot.gram`` uses of JSGF: rules without recursion, ``|``, ``( )`` and ``[ ]``.
    """
    rules = dict(re.findall(r"<(\w+)> = (.*?);", jsgf, re.DOTALL))
    public = re.search(r"public <(\w+)>", jsgf)
    assert public is not None

    def expand(body: str) -> str:
        return re.sub(r"<(\w+)>", lambda match: f"({expand(rules[match[1]])})", body)

    tokens = re.findall(r"[\[\]()|]|[a-z']+", expand(rules[public[1]]))
    symbols = {"[": "(?:", "]": ")?", "(": "(?:", ")": ")", "|": "|"}
    return re.compile("".join(symbols.get(token) or f"{token} " for token in tokens))


def longest_sentence(heard: str, pattern: re.Pattern[str]) -> str:
    """The longest beginning of ``heard`` that is a sentence: a decoder that runs out of sound in
    the middle of one returns what it has."""
    words = heard.split()
    while words and not pattern.fullmatch(" ".join(words) + " "):
        words.pop()
    return " ".join(words)
