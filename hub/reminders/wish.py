"""What a user wants of timers and reminders, by an English table: pure, and without a model.

    wish     timer   "set … timer for DURATION", "DURATION timer"
             remind  "remind me [WHEN] to WHAT [WHEN]", "set an alarm WHEN", "wake me WHEN"
             ask     "how long is left on the timer", "what are my reminders"
             cancel  "cancel the timer", "forget my reminders"
    WHEN     in DURATION · [at] CLOCK [PART] [DAY], in any order that people use
    CLOCK    six · 6:30 · six thirty · half past six · quarter to six · six o'clock · noon · midnight
    PART     am · pm · in the morning · in the afternoon · this evening · at night
    DAY      today · tonight · tomorrow · a day of the week

What is said of it, and to which moment it leads, stand in ``replies.py`` and ``times.py``.
"""

import re
from typing import NamedTuple

from hub.reminders.durations import duration_at, is_amount, number_at

MAX_TEXT_CHARS = 200
MAX_WORDS = 60
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TODAY, TOMORROW, TONIGHT = "today", "tomorrow", "tonight"

_NOT_WORD = re.compile(r"[^\w:' ]+")
_DIGITS_APART = re.compile(r"(?<=\d)(?=[ap]\.?m\b)")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SET = frozenset({"set", "start", "make", "create", "put", "begin", "run", "give", "need", "want"})
_CANCEL = frozenset({"cancel", "stop", "delete", "remove", "clear", "forget", "drop"})
_THINGS = {
    "timer": "timer", "timers": "timer", "alarm": "reminder", "alarms": "reminder",
    "reminder": "reminder", "reminders": "reminder",
}  # fmt: skip
_WHICH = frozenset(["the", "my", "this", "that", "all", "of", "every", "a", "an", "it", "off"])
_BEFORE = frozenset(
    [
        "please",
        "hey",
        "ok",
        "okay",
        "robot",
        "can",
        "could",
        "would",
        "will",
        "you",
        "i",
        "i'd",
        "like",
        "to",
        "so",
        "and",
        "now",
        "then",
        "just",
    ]
)
_LINKS = frozenset({"to", "about", "that", "of", "for", "me"})
_PARTS = {"morning": "am", "afternoon": "pm", "evening": "pm", "night": "night"}
_NOON = frozenset({"noon", "midday"})
_NAMED = {"noon": (12, 0), "midday": (12, 0), "midnight": (0, 0)}


class After(NamedTuple):
    """In so many seconds."""

    seconds: int


class At(NamedTuple):
    """A time on the clock. ``half`` is "am", "pm", "night" or empty; with neither it and a ``day``
    it is the next such time. Hours beyond 12, and 0, need no half."""

    hour: int
    minute: int = 0
    half: str = ""
    day: str = ""


When = After | At


class Set(NamedTuple):
    """A timer (``what`` may be empty) or a reminder of ``what``; ``when`` is None where the user
    has not said it."""

    kind: str
    when: When | None
    what: str = ""


class Ask(NamedTuple):
    """How long is left, or what there is."""

    kind: str


class Cancel(NamedTuple):
    """None of this kind is wanted any more."""

    kind: str


Wish = Set | Ask | Cancel


def wish_of(text: str) -> Wish | None:
    """What ``text`` wants of timers and reminders; None if it is about something else."""
    words = _words(text)
    while words and words[0] in _BEFORE:
        words = words[1:]
    if not words:
        return None
    return _reminder(words) or _asked(words) or _timer(words) or _alarm(words)


def _words(text: str) -> list[str]:
    plain = _DIGITS_APART.sub(" ", text[: MAX_WORDS * 12].lower().replace("’", "'"))
    plain = plain.replace("a.m.", "am").replace("p.m.", "pm").replace("-", " ")
    plain = _NOT_WORD.sub(" ", plain).replace("o'clock", "oclock").replace(" o clock", " oclock")
    words = [word.strip("':") for word in plain.split()]
    return [word for word in words if word][:MAX_WORDS]


def _reminder(words: list[str]) -> Set | None:
    if words[:2] == ["remind", "me"]:
        rest, given = words[2:], ""
    elif words[:3] == ["wake", "me", "up"]:
        rest, given = words[3:], "wake up"
    elif words[:2] == ["wake", "me"]:
        rest, given = words[2:], "wake up"
    else:
        return None
    when, rest = _cut_when(rest)
    what = given or _what(rest)
    return Set("reminder", when, what)


def _alarm(words: list[str]) -> Set | None:
    """ "set an alarm for six", "set a reminder for six to feed the cat"."""
    kind = next((word for word in words[:5] if word in ("alarm", "reminder")), "")
    if not kind or words[0] not in _SET:
        return None
    when, rest = _cut_when(words[words.index(kind) + 1 :])
    return Set("reminder", when, _what(rest))


def _timer(words: list[str]) -> Set | None:
    if "timer" not in words:
        return None
    place = words.index("timer")
    found = next((d for i in range(len(words)) if (d := duration_at(words, i))), None)
    orders = words[0] in _SET and (found is not None or place <= 3)
    if not (orders or (found is not None and len(words) <= 8)):
        return None
    rest = words[place + 1 :]
    _, rest = _cut_when(rest, bare=True)
    what = _what(rest) if rest[:1] == ["to"] or "for" in rest[:1] else ""
    return Set("timer", After(found.seconds) if found is not None else None, what)


def _asked(words: list[str]) -> Ask | Cancel | None:
    place = next((at for at, word in enumerate(words) if word in _THINGS), None)
    if place is None:
        return None
    kind = _THINGS[words[place]]
    verb = 2 if words[:2] in (["turn", "off"], ["switch", "off"]) else int(words[0] in _CANCEL)
    if verb and all(word in _WHICH or is_amount(word) for word in words[verb:place]):
        return Cancel(kind)
    text = " ".join(words)
    left = text.startswith(("how long", "how much time", "how much longer"))
    lists = text.startswith(
        ("what", "which", "tell me", "list", "do i have", "have i", "are there")
    )
    mine = any(word in words for word in ("my", "i", "any", "set")) and words[-1] in _THINGS
    return Ask(kind) if left or (lists and mine) else None


def _what(words: list[str]) -> str:
    """What is to be done, without the words that lead to it, said from the robot's side."""
    while words and words[0] in _LINKS:
        words = words[1:]
    while words and words[-1] in ("please", "to", "at", "on", "about"):
        words = words[:-1]
    turned = {"my": "your", "i": "you", "me": "you", "mine": "yours", "i'm": "you're", "am": "are"}
    return " ".join(turned.get(word, word) for word in words)[:MAX_TEXT_CHARS]


def _cut_when(words: list[str], *, bare: bool = False) -> tuple[When | None, list[str]]:
    """The time in ``words`` and the words without it: the one at the start, else the last one, so
    that "at home" and "two apples" may stand before it. ``bare``: a duration without "in" too."""
    places = [0, *range(len(words) - 1, 0, -1)] if words else []
    best: tuple[When, int, int] | None = None
    for place in places:
        found = _when_at(words, place, bare=bare)
        if found is None:
            continue
        when, end = found
        if best is None:
            best = when, place, end
            if place == 0:
                break
        elif end >= best[1] and place < best[1]:
            best = when, place, end  # a longer one that the first was the end of
    if best is None:
        return None, words
    when, start, end = best
    return when, words[:start] + words[end:]


def _when_at(words: list[str], at: int, *, bare: bool = False) -> tuple[When, int] | None:
    """A time that begins at a word, and the word behind it."""
    lead = words[at] in ("in", "after", "for")
    found = duration_at(words, at + 1) if lead else duration_at(words, at) if bare else None
    if found is not None:
        return After(found.seconds), found.end
    day, place = _day_at(words, at)
    half, place = _part_at(words, place) if day else ("", place)
    said = place < len(words) and words[place] in ("at", "for", "by", "around")
    clock = _clock_at(words, place + said)
    if clock is None:
        return None
    hour, minute, end, sure = clock
    if not half:
        half, end = _part_at(words, end)
    if not day:
        day, end = _day_at(words, end)
        if not half:
            half, end = _part_at(words, end)
    if not (said or sure or half or day):
        return None
    if words[place + said] in _NOON:
        half = "pm"
    if day == TONIGHT:
        day, half = TODAY, half or "night"
    return At(hour, minute, half, day), end


def _day_at(words: list[str], at: int) -> tuple[str, int]:
    start = at + (at < len(words) and words[at] in ("on", "next", "this"))
    if start < len(words) and words[start] in (*DAYS, TODAY, TOMORROW, TONIGHT):
        return words[start], start + 1
    return "", at


def _part_at(words: list[str], at: int) -> tuple[str, int]:
    rest = words[at : at + 3]
    if rest[:1] in (["am"], ["pm"]):
        return rest[0], at + 1
    if rest[:2] in (["a", "m"], ["p", "m"]):
        return rest[0] + "m", at + 2
    if rest[:2] == ["in", "the"] and rest[2:] and rest[2] in _PARTS:
        return _PARTS[rest[2]], at + 3
    if rest[:1] == ["this"] and rest[1:] and rest[1] in _PARTS:
        return _PARTS[rest[1]], at + 2
    if rest[:2] == ["at", "night"]:
        return "night", at + 2
    if rest[:1] and rest[0] in _PARTS:
        return _PARTS[rest[0]], at + 1
    return "", at


def _clock_at(words: list[str], at: int) -> tuple[int, int, int, bool] | None:
    """Hour, minute, the word behind them, and whether it can be nothing but a time."""
    if at >= len(words):
        return None
    if words[at] in _NAMED:
        return (*_NAMED[words[at]], at + 1, True)
    digits = _CLOCK.fullmatch(words[at])
    if digits:
        return int(digits[1]), int(digits[2]), at + 1, True
    return _past_or_to(words, at) or _hour_at(words, at)


def _past_or_to(words: list[str], at: int) -> tuple[int, int, int, bool] | None:
    """ "half past six", "a quarter to seven", "ten minutes past six"."""
    at += words[at] == "a"
    if at < len(words) and words[at] in ("half", "quarter"):
        minutes, place = (30 if words[at] == "half" else 15), at + 1
    else:
        number = number_at(words, at)
        if number is None or not 0 < number.value < 60:
            return None
        minutes, place = number.value, number.end
        place += place < len(words) and words[place] in ("minute", "minutes")
    if place >= len(words) or words[place] not in ("past", "to"):
        return None
    hour = number_at(words, place + 1)
    if hour is None or not 0 < hour.value <= 23:
        return None
    if words[place] == "past":
        return hour.value, minutes, hour.end, True
    return (hour.value - 1) or 12, 60 - minutes, hour.end, True


def _hour_at(words: list[str], at: int) -> tuple[int, int, int, bool] | None:
    """ "six", "six o'clock", "six thirty", "six oh five"."""
    for limit in (1, 2):
        hour = number_at(words, at, limit)
        if hour is None or hour.value > 23:
            continue
        place = hour.end
        if place < len(words) and words[place] == "oclock":
            return hour.value, 0, place + 1, True
        oh = place < len(words) and words[place] in ("oh", "o")
        minute = number_at(words, place + oh)
        is_minute = minute is not None and (minute.value < 10 if oh else 10 <= minute.value < 60)
        if minute is not None and is_minute and _ends_a_time(words, minute.end):
            return hour.value, minute.value, minute.end, True
        if limit == 2 or number_at(words, at) == hour:
            return hour.value, 0, place, False
    return None


def _ends_a_time(words: list[str], at: int) -> bool:
    """ "six thirty" is a time, "at six fifteen children come" is none."""
    return at >= len(words) or words[at] in (
        "to", "am", "pm", "a", "p", "in", "at", "on", "about", "that", "please", "this",
        TODAY, TOMORROW, TONIGHT, *DAYS,
    )  # fmt: skip
