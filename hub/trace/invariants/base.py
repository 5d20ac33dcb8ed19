"""What every invariant is made of: rules by class of entry, and what to do where entries miss."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from protocols.messages.robot import Action, Emotion, Gestures, SpeechText

MAX_ROBOTS = 4_096
"""Robots that are remembered; the one that was quiet for longest is forgotten."""
MAX_TURNS = 64
"""Turns of a robot that are remembered; nothing is as late as that."""

CONTENT = (Emotion, Gestures, Action, SpeechText)
"""What a robot is told of a turn that it shows, says or does."""

Rule = Callable[[Any], str | None]
"""Takes an entry; returns what is wrong with it, in one sentence."""

Rules = Mapping[type, Rule]
"""By class of entry, or, for entries with a message in them, by the message's class."""


class Finding(NamedTuple):
    """Something that is wrong at the end of a trace, with the entry that began it."""

    robot: str
    message: str
    entry: int


class Invariant(Protocol):
    """One promise, checked entry by entry in bounded memory."""

    name: str

    @property
    def rules(self) -> Rules:
        """The entries that matter, and what is asked of them."""

    def hole(self) -> None:
        """Entries are missing here: nothing that they might have said may count as broken."""

    def finish(self) -> Iterator[Finding]:
        """What is still owed at the end of a complete trace."""


K = TypeVar("K")
V = TypeVar("V")


class Recent(dict[K, V]):
    """A dict of the ``bound`` keys that were added last."""

    def __init__(self, bound: int) -> None:
        super().__init__()
        self._bound = bound

    def __setitem__(self, key: K, value: V) -> None:
        if key not in self and len(self) >= self._bound:
            del self[next(iter(self))]
        super().__setitem__(key, value)
