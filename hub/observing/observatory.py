"""Those who watch the hub while it works: each is handed what happens, with its words, and it is
kept by nobody. Last values of states are kept, without words, for those who come later.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from hub.errors import UnknownRobot
from hub.observing.decimator import Key, state_key
from hub.recent import RecentEvents
from hub.session.view import Views
from hub.trace.entries import Entry, Started
from hub.trace.tap import Tap

MOST_STATES = 10_000
"""Last values that are kept; beyond it the one that was told longest ago is forgotten."""
MOST_OBSERVERS = 64

Observer = Callable[[Entry], None]
Listener = Callable[[bytes], None]
"""Takes each chunk of a microphone."""


class ShownPicture(NamedTuple):
    """The newest picture of a robot's camera: a JPEG, and how old it is."""

    jpeg: bytes
    age_ms: int


class Observatory:
    """See the module. ``keep`` is a sink of ``tap``, whose watcher it is while anybody watches;
    without a tap there is nothing to be seen."""

    def __init__(self, tap: Tap | None = None) -> None:
        self._tap = tap
        self.boot = 0
        """Which run of the hub this is."""
        self.recent = RecentEvents()
        """What happened to each robot lately, without words."""
        self._states: dict[Key, Entry] = {}
        self._observers: list[Observer] = []
        self._listeners: dict[str, list[Listener]] = {}
        self._views: Views | None = None
        self._may_look: Callable[[str], bool] = lambda robot: False
        if tap is not None:
            tap.add(self.recent.take)
            tap.add(self.keep)

    def showing(self, views: Views, may_look: Callable[[str], bool]) -> "Observatory":
        """The same, which shows what cameras see, too, where ``may_look`` says that it may."""
        self._views, self._may_look = views, may_look
        return self

    @property
    def watching(self) -> int:
        """How many watch."""
        return len(self._observers)

    @property
    def full(self) -> bool:
        """Whether as many watch as may."""
        return self.watching >= MOST_OBSERVERS

    def keep(self, entry: Entry) -> None:
        """Remember ``entry`` if it is a state."""
        if isinstance(entry, Started):
            self.boot = entry.boot
        key = state_key(entry)
        if key is None:
            return
        self._states.pop(key, None)
        self._states[key] = entry
        if len(self._states) > MOST_STATES:
            del self._states[next(iter(self._states))]

    def join(self, observer: Observer) -> None:
        """Hand ``observer`` the states as they are, and from now on everything that happens."""
        for entry in self._states.values():
            observer(entry)
        self._observers.append(observer)
        if self._tap is not None:
            self._tap.watcher = self.show

    def leave(self, observer: Observer) -> None:
        """Hand it nothing any more."""
        self._observers.remove(observer)
        if self._tap is not None and not self._observers:
            self._tap.watcher = None

    def listen(self, robot: str, listener: Listener) -> None:
        """Hand ``listener`` what ``robot`` hears."""
        self._listeners.setdefault(robot, []).append(listener)
        if self._tap is not None:
            self._tap.ear = self.hear

    def ignore(self, robot: str, listener: Listener) -> None:
        """Hand it nothing any more."""
        self._listeners[robot].remove(listener)
        if not self._listeners[robot]:
            del self._listeners[robot]
        if self._tap is not None and not self._listeners:
            self._tap.ear = None

    def hear(self, robot: str, pcm: bytes) -> None:
        """``robot`` has heard ``pcm``."""
        for listener in tuple(self._listeners.get(robot, ())):
            listener(pcm)

    def show(self, entry: Entry) -> None:
        """Hand ``entry`` to all who watch."""
        for observer in tuple(self._observers):
            observer(entry)

    def picture_of(self, robot: str, now_ns: int | None = None) -> ShownPicture | None:
        """The newest picture of a robot's camera; None without one, or without consent."""
        if self._views is None or not self._may_look(robot):
            return None
        try:
            newest = self._views.view(robot).picture
        except UnknownRobot:
            return None
        if newest is None:
            return None
        now = time.monotonic_ns() if now_ns is None else now_ns
        return ShownPicture(newest.jpeg, max(0, now - newest.taken_ns) // 1_000_000)
