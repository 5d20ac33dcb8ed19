"""Words that need no model: those that act at once, and those that only say "I am listening"."""

import re
from enum import StrEnum

_NOT_WORD = re.compile(r"[^a-z' ]+")


class Act(StrEnum):
    """What an instant word does."""

    STOP = "stop"
    SLEEP = "sleep"
    LOUDER = "louder"
    QUIETER = "quieter"


_INSTANT = {
    "stop": Act.STOP,
    "stop it": Act.STOP,
    "stop talking": Act.STOP,
    "be quiet": Act.STOP,
    "quiet": Act.STOP,
    "shut up": Act.STOP,
    "silence": Act.STOP,
    "halt": Act.STOP,
    "freeze": Act.STOP,
    "go to sleep": Act.SLEEP,
    "stop listening": Act.SLEEP,
    "do not listen": Act.SLEEP,
    "don't listen": Act.SLEEP,
    "louder": Act.LOUDER,
    "speak up": Act.LOUDER,
    "quieter": Act.QUIETER,
    "softer": Act.QUIETER,
    "not so loud": Act.QUIETER,
}
_COURTESY = frozenset({"please", "robot", "now", "hey", "okay", "ok"})
_BACKCHANNEL = frozenset(
    [
        "mm",
        "mhm",
        "mmhm",
        "hm",
        "hmm",
        "uh",
        "huh",
        "um",
        "ah",
        "oh",
        "yeah",
        "yes",
        "yep",
        "okay",
        "ok",
        "right",
        "sure",
        "i",
        "see",
        "really",
        "wow",
    ]
)

_CALLS = frozenset(
    {
        "no", "wait", "hey", "listen", "pardon", "sorry", "what", "why", "enough", "next", "skip",
        "again", "help",
    }
)  # fmt: skip
"""Words that want something of a robot that speaks, though each is alone. Its name is none: what is
wanted comes after it."""


def plain_words(text: str) -> list[str]:
    """Lower-case words of a transcript, without punctuation; hyphens part words."""
    return _NOT_WORD.sub(" ", text.lower()).split()


def instant_act(text: str) -> Act | None:
    """The act of a transcript that consists of nothing but an instant phrase and courtesy."""
    words = plain_words(text)
    spoken = " ".join(w for w in words if w not in _COURTESY)
    return _INSTANT.get(spoken)


def is_backchannel(text: str) -> bool:
    """Whether all a transcript says is that its speaker listens (also true of an empty one)."""
    return all(word in _BACKCHANNEL for word in plain_words(text))


def is_aside(text: str) -> bool:
    """Whether what was said briefly beside the robot's speech leaves it alone: a backchannel, with
    or without one word more that calls for nothing. A recogniser makes such a word of "uh huh" and
    of a cough."""
    more = [word for word in plain_words(text) if word not in _BACKCHANNEL]
    return not more or (len(more) == 1 and more[0] not in _CALLS)
