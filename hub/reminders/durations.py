"""Numbers and durations in the words of people: "five", "an hour and a half", "90 seconds". Pure."""

from typing import NamedTuple

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBERS = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * value for value, word in enumerate(_TENS, 2)
}
_UNITS = {
    "second": 1, "seconds": 1, "sec": 1, "secs": 1,
    "minute": 60, "minutes": 60, "min": 60, "mins": 60,
    "hour": 3_600, "hours": 3_600, "hr": 3_600, "hrs": 3_600,
    "day": 86_400, "days": 86_400, "week": 604_800, "weeks": 604_800,
}  # fmt: skip
_LARGEST_DIGITS = 5


class Number(NamedTuple):
    """A number, and the word behind it."""

    value: int
    end: int


class Duration(NamedTuple):
    """A duration, and the word behind it."""

    seconds: int
    end: int


def spoken_number(value: int) -> str:
    """In a word where there is a single one, else in digits."""
    return _ONES[value] if 0 <= value < len(_ONES) else str(value)


def is_amount(word: str) -> bool:
    """Whether a word is a number or a unit of time."""
    return word in _NUMBERS or word in _UNITS or word.isdigit()


def number_at(words: list[str], at: int, most: int = 2) -> Number | None:
    """The whole number that begins at a word and has up to ``most`` words, as in "twenty five"."""
    if not 0 <= at < len(words):
        return None
    word = words[at]
    if word.isascii() and word.isdigit():
        return Number(int(word), at + 1) if len(word) <= _LARGEST_DIGITS else None
    value = _NUMBERS.get(word)
    if value is None:
        return None
    ones = _NUMBERS.get(words[at + 1], 0) if at + 1 < len(words) else 0
    if most > 1 and value >= 20 and 0 < ones < 10:
        return Number(value + ones, at + 2)
    return Number(value, at + 1)


def duration_at(words: list[str], at: int) -> Duration | None:
    """The duration that begins at a word, with all of its parts: "one hour and five minutes"."""
    first = _part_at(words, at)
    if first is None:
        return None
    total, end = first
    while True:
        follows = end + (end < len(words) and words[end] == "and")
        more = _part_at(words, follows)
        if more is None:
            return Duration(total, end) if total > 0 else None
        total, end = total + more.seconds, more.end


def _part_at(words: list[str], at: int) -> Duration | None:
    """A number and its unit, with a half that may follow either."""
    half = _half_at(words, at)
    if half is not None:
        return half
    if words[at : at + 3] == ["a", "couple", "of"] or words[at : at + 2] == ["couple", "of"]:
        number: Number | None = Number(2, at + 2 + (words[at] == "a"))
    elif words[at : at + 1] in (["a"], ["an"]):
        number = Number(1, at + 1)
    else:
        number = number_at(words, at)
    if number is None:
        return None
    value, end = number
    halves = words[end : end + 3] == ["and", "a", "half"]
    end += 3 * halves
    unit = _UNITS.get(words[end], 0) if end < len(words) else 0
    if not unit:
        return None
    end += 1
    if words[end : end + 3] == ["and", "a", "half"]:
        halves, end = True, end + 3
    return Duration(value * unit + halves * unit // 2, end)


def _half_at(words: list[str], at: int) -> Duration | None:
    """ "half an hour", "half a minute", "a quarter of an hour"."""
    start = at + (words[at : at + 1] == ["a"])
    if words[start : start + 1] == ["half"]:
        share, start = 2, start + 1
    elif words[start : start + 2] == ["quarter", "of"]:
        share, start = 4, start + 2
    else:
        return None
    start += words[start : start + 1] in (["a"], ["an"])
    unit = _UNITS.get(words[start], 0) if start < len(words) else 0
    return Duration(unit // share, start + 1) if unit > 1 else None
