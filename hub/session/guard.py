"""The guard: what the robot is about to say, and what it was told before a planner hears of it.

It has no memory, and judges by the table of ``guard_phrases.py``. A sentence that may not be spoken
is replaced by a safe one; words that no planner is to answer are kept from it, and the robot
answers them at once with the phrase for their kind. Whatever goes wrong in here ends in a safe
phrase, too.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from hub.session.guard_fold import visible
from hub.session.guard_phrases import DENIABLE_HEARD, DENIABLE_SPOKEN, HARMLESS, HEARD, SPOKEN
from hub.session.guard_replies import ANSWERS, INSTEAD, NOTES
from hub.session.guard_rules import Lexicon
from hub.session.guard_words import SETS, Category

BEFORE_CHARS = 96
"""How much of what was said before is looked at together with a sentence."""
BEFORE_PHRASES = 5
"""As many phrases as may be needed for that: all but the first have ``NEXT_MIN_CHARS``."""
UNBROKEN_CHARS = 200
"""A text without a space for so long may have been cut inside a word: ``phrases.MAX_CHARS``."""

_TLD = "com|org|net|edu|gov|info|biz|io|tv|co|uk|de|fr|eu|us|ru|xyz|app|dev|gg|ly|ai|club|site|shop"
_CONTACT = re.compile(
    r"https?://|\bwww\.\w"
    r"|[\w.+-]@[\w-]+\.\w"
    rf"|\b[a-z0-9-]{{2,}}\.(?:{_TLD})\b(?!\.\w)"
    rf"|\b(?!the |a |of |and )[a-z0-9]+ dot (?:{_TLD})\b"
    r"|\b[a-z0-9]+ at [a-z0-9]+ dot [a-z]+"
    r"|(?<![\d.,:])(?:\+|00)\d[\d ()/.-]{6,}\d"
    r"|(?<![\d.,-])\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}(?![\d.,-]\d)"
    r"|(?<![\d.,])0\d{2,4}[ /-]?\d{4,}"
    r"|\b(?:call|dial|text|phone|whatsapp|number is)\b[^\d.!?]{0,24}\d[\d -]{5,}\d",
    re.IGNORECASE,
)
_MAY_BE_CONTACT = re.compile(r"[@/.]\w|\bdot\b|\d[\d) /-]{5}", re.IGNORECASE)

_SPOKEN = Lexicon(SPOKEN, SETS, HARMLESS, DENIABLE_SPOKEN)
_HEARD = Lexicon(HEARD, SETS, HARMLESS, DENIABLE_HEARD)
_SAFE = frozenset(INSTEAD.values())
_NOTED = {note: category for category, note in NOTES.items()}
_GRAVITY = {category: number for number, category in enumerate(Category)}


class Verdict(NamedTuple):
    """``text`` is what may be spoken, or what others may know of what was heard; ``kept_back`` says
    why that is not what was given."""

    text: str
    kept_back: Category | None = None


def checked(sentence: str, before: str = "") -> Verdict:
    """What may be spoken in place of ``sentence``, which comes right after ``before``.

    A phrase is often no whole sentence, so that it is judged alone and together with the end of
    what was said before it: what is only forbidden as a whole is found in its last part.
    """
    try:
        broken = None if sentence in _SAFE else _spoken_wrong(sentence, before)
    except Exception:
        # A guard that fails must not let through what it could not read.
        broken = Category.FAULT
    return Verdict(sentence) if broken is None else Verdict(INSTEAD[broken], broken)


def heard(text: str) -> Verdict:
    """What a planner, and the history, may know of what the user said."""
    try:
        broken = _heard_wrong(text)
    except Exception:
        broken = Category.FAULT
    return Verdict(text) if broken is None else Verdict(NOTES[broken], broken)


def answer_to(category: Category) -> str:
    """What the robot answers to words that were kept back."""
    return ANSWERS.get(category, ANSWERS[Category.FAULT])


def checked_actions(
    actions: Iterable[dict[str, Any]],
) -> tuple[list[dict[str, Any]], tuple[Category, ...]]:
    """``actions``, which are safe ones (``protocols.plan``), with what they say checked; and why
    something of it was kept back."""
    safe, why = [], []
    for action in actions:
        if action.get("action") == "say":
            verdict = checked(action["text"])
            if verdict.kept_back is not None:
                why.append(verdict.kept_back)
                action = {**action, "text": verdict.text}
        safe.append(action)
    return safe, tuple(why)


def _spoken_wrong(sentence: str, before: str) -> Category | None:
    seen = visible(sentence)
    broken = _gravest(_broken_in(seen))
    if broken is not None or not before:
        return broken
    end = before[-BEFORE_CHARS:]
    if end != before and " " in end:
        end = end[end.index(" ") + 1 :]  # not from the middle of a word on
    end = visible(end)
    together = _broken_in(f"{end} {seen}")
    if len(before) >= UNBROKEN_CHARS and " " not in before[-UNBROKEN_CHARS:]:
        together |= _broken_in(end + seen)
    return _gravest(together - _broken_in(end)) if together else None


def _broken_in(seen: str) -> frozenset[int]:
    """Numbers of the rules that ``seen`` breaks; -1 stands for the one on contacts."""
    found = _SPOKEN.found_in(seen)
    if _MAY_BE_CONTACT.search(seen) and _CONTACT.search(seen):
        found |= {-1}
    return found


def _gravest(numbers: frozenset[int]) -> Category | None:
    categories = (Category.CONTACT if n < 0 else _SPOKEN.rules[n].category for n in numbers)
    return min(categories, key=_GRAVITY.__getitem__, default=None)


def _heard_wrong(text: str) -> Category | None:
    for note, category in _NOTED.items():
        if note in text:
            return category
    found = (_HEARD.rules[n].category for n in _HEARD.found_in(visible(text)))
    return min(found, key=_GRAVITY.__getitem__, default=None)
