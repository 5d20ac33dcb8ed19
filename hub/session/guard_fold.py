"""What a text says, whatever it looks like: plain lower-case words, with disguises taken off.

Width, style and accents go by Unicode's compatibility decomposition (UAX #15); letters that only
look Latin by a table of the common ones in Unicode's confusables (UTS #39); digits, stars, dots,
spaces and repetitions inside a word by looking which word of a given vocabulary is meant.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

END = "."
"""The word that stands for the end of a sentence."""

_LOOK_ALIKES = {
    "a": "αаΑАɑᴀᎪ", "b": "βвьВΒЬƄʙᏴ", "c": "сСϲⲥᴄᏟ", "d": "ԁđðᴅᎠԀ", "e": "еЕεΕєҽᴇᎬɛ",
    "f": "ϝꜰſƒғ", "g": "ɡցԍɢᏀ", "h": "һНհнΗħʜᎻ", "i": "іІιΙıɪӏᎥɩ", "j": "јЈϳʝᴊᎫ",
    "k": "кКκΚᴋᏦқ", "l": "łӀǀʟᏞլ", "m": "мМμΜᴍᎷ", "n": "ոռηпΝɴŋ", "o": "оОοΟσօøᴏ",
    "p": "рРρΡᴘᏢþ", "q": "ԛգզ", "r": "гʀᎡᴦя", "s": "ѕЅꜱᏚ", "t": "тТτΤᴛᎢŧ",
    "u": "υսᴜʋцμ", "v": "νѵᴠѴᏙ", "w": "ωԝᴡшԜᏔ", "x": "хХχΧᚷ×", "y": "уУүγΥʏҮᎩ", "z": "ᴢΖᏃʐ",
}  # fmt: skip
"""By the letter that is meant. A letter that two could be meant by stands at the likelier one."""

_SQUARED = {first + i: chr(97 + i) for first in (0x1F150, 0x1F170, 0x1F1E6) for i in range(26)}
"""Letters on a ground of their own, which have no compatibility decomposition."""

_VISIBLE = str.maketrans(
    {look: letter for letter, looks in _LOOK_ALIKES.items() for look in looks}
    | {chr(code): letter for code, letter in _SQUARED.items()}
)
_UNSEEN = frozenset({"Mn", "Me", "Cf", "Co", "Cn", "Cs"})
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘ʼ`´＇"))

_SENTENCE_END = re.compile(r"(?<=\w\w)(?:[.!?]|[!?]{2,3})[\"”')\]]*\s+(?=[\"“'(]*[A-Z0-9])")
_MARK = "\x02"
_EDGE = '.,!?;:"“”()[]{}<>…–—-/\\&*#_~|' + _MARK
_EDGE_OF_STARRED = _EDGE.replace("*", "").replace("#", "")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
_LONG_RUN = re.compile(r"(\w)\1\1")
_RUN = re.compile(r"(\w)\1+")
_LEET = str.maketrans("0134579@$!|l", "oieastgasiii")
_STARS = re.compile(r"[*#%]+")
_LONGEST_SPELLED = 240
_LONE = frozenset("ai")
"""Letters that are words."""
_SPELLED_FROM = 2
"""So many single letters in a row, these aside, may spell a word."""


class Vocabulary:
    """Words that matter, and how they are recognised in disguise."""

    def __init__(self, words: Collection[str], grave: Collection[str]) -> None:
        """``grave`` ones are taken where several words could be meant, and found behind stars."""
        self.words = frozenset(words)
        self.grave = tuple(sorted(grave))
        by_skeleton: dict[str, str] = {}
        for word in sorted(words, key=lambda w: (w in grave, len(w), w)):
            by_skeleton[_skeleton(word)] = word
        self._longest = max(map(len, words), default=0)
        self._by_skeleton: Mapping[str, str] = by_skeleton

    def meant_by(self, token: str) -> tuple[str, ...]:
        """The words that a token in disguise stands for; empty if it stands for none of these."""
        bare = "".join(c for c in token if c.isalnum() or c in "@$!|")
        if not any(map(str.isalpha, bare)):
            return ()
        if bare in self.words:
            return (bare,)
        word = self._by_skeleton.get(_skeleton(bare))
        if word is not None and len(word) <= len(bare):
            return (word,)
        starred = self._behind_stars(token)
        if starred:
            return (starred,)
        return self.spelled(bare) if bare != token and len(bare) <= _LONGEST_SPELLED else ()

    def _behind_stars(self, token: str) -> str:
        if not _STARS.search(token) or sum(map(str.isalpha, token)) < 2:
            return ""
        pattern = "[a-z]+".join(map(re.escape, _STARS.split(token)))
        same = [w for w in self.grave if len(w) >= len(token) - 1 and re.fullmatch(pattern, w)]
        return min(same, key=lambda w: abs(len(w) - len(token)), default="")

    def spelled(self, letters: str) -> tuple[str, ...]:
        """``letters`` as few words of the vocabulary without a rest; empty if they are not."""
        reached: dict[int, tuple[str, ...]] = {0: ()}
        for start in range(len(letters)):
            before = reached.get(start)
            if before is None:
                continue
            for end in range(start + 1, min(start + self._longest, len(letters)) + 1):
                word = letters[start:end]
                known = word in self.words or word in _LONE
                if known and (end not in reached or len(before) + 1 < len(reached[end])):
                    reached[end] = (*before, word)
        return reached.get(len(letters), ())


class Reading(NamedTuple):
    """A text as words; ends of sentences are words too (``END``), one at each end."""

    words: tuple[str, ...]

    @property
    def line(self) -> str:
        """The words with a space around each."""
        return f" {' '.join(self.words)} "


def visible(text: str) -> str:
    """``text`` in plain letters, as it looks: nothing unseen, no styles, no foreign look-alikes."""
    if text.isascii() and text.isprintable():
        return text
    # Before and after: a bold letter may be a foreign one, too, and some are styles of others.
    apart = unicodedata.normalize("NFKD", text.translate(_VISIBLE))
    seen = (c for c in apart if unicodedata.category(c) not in _UNSEEN)
    return "".join(c if c.isprintable() else " " for c in seen).translate(_VISIBLE)


def readings(seen: str, vocabulary: Vocabulary) -> Iterator[Reading]:
    """The words of a visible text as they are written, and as they are meant where that differs."""
    marked = _SENTENCE_END.sub(f" {_MARK} ", seen).casefold().translate(_APOSTROPHES)
    long_run = _LONG_RUN.search(marked) is not None
    plain: list[str] = [END]
    meant: list[str] = [END]
    disguised, singles = False, 0
    for token in marked.split():
        word = token.strip(_EDGE)
        if word.isalpha():
            plain.append(word)
            singles += len(word) == 1 and word not in _LONE
            odd = long_run and _LONG_RUN.search(word) is not None
            said = vocabulary.meant_by(word) if odd else ()
        elif not word:
            said = (END,) if token == _MARK else ()
            plain.extend(said)
        else:
            parts = _NOT_PLAIN.sub(" ", word).split()
            plain.extend(parts)
            said = vocabulary.meant_by(token.strip(_EDGE_OF_STARRED))
            word = " ".join(parts)
            singles += sum(len(part) == 1 for part in parts)
        disguised = disguised or (bool(said) and said != (word,) and said != (END,))
        meant.extend(said or word.split())
    plain.append(END)
    meant.append(END)
    yield Reading(tuple(plain))
    if singles >= _SPELLED_FROM:
        joined = _joined(meant, vocabulary)
        disguised, meant = disguised or joined != meant, joined
    if disguised:
        yield Reading(tuple(meant))


def _joined(words: list[str], vocabulary: Vocabulary) -> list[str]:
    """``words`` with every run of single letters read as the words that it spells."""
    out: list[str] = []
    run: list[str] = []
    for word in [*words, END]:
        if len(word) <= 2 and word.isalpha():
            run.append(word)
            continue
        letters = "".join(run)
        spelled: tuple[str, ...] = ()
        lone = sum(len(w) == 1 and w not in _LONE for w in run)
        if lone >= _SPELLED_FROM and len(letters) <= _LONGEST_SPELLED:
            spelled = vocabulary.spelled(letters)
        out.extend(spelled or run)
        run.clear()
        out.append(word)
    return out[:-1]


def _skeleton(word: str) -> str:
    """What words that can be taken for each other share: look-alike characters are one, and so
    are letters in a row."""
    return _RUN.sub(r"\1", word.translate(_LEET))
