"""I3: the control sequence per robot has no gap, and after recovery it is the same.

Facts are numbered ``(boot, order)`` per robot; what a robot is told bears its own number in a
session. A number that comes again after a resume must be of the same message.
"""

from collections.abc import Iterator

from hub.trace.entries import Fact, Opened, Started, Told
from hub.trace.invariants.base import MAX_ROBOTS, Finding, Recent, Rules
from protocols.messages.robot import Numbered, Welcome

REMEMBERED = 256
"""Messages per robot that are held to compare a repeated one with."""


class _Told:
    """What a robot's session was told: the highest number, and the latest messages."""

    __slots__ = ("connection", "highest", "last", "session", "told")

    def __init__(self) -> None:
        self.session = ""
        self.connection = 0
        self.highest = -1
        """-1: nothing is known of the session."""
        self.last = 0
        """The last number on this connection."""
        self.told: Recent[int, int] = Recent(REMEMBERED)


class Order:
    """See the module."""

    name = "I3"

    def __init__(self) -> None:
        self._facts: Recent[str, int] = Recent(MAX_ROBOTS)
        self._told: Recent[str, _Told] = Recent(MAX_ROBOTS)
        self._boot = 0
        self._sure = False

    @property
    def rules(self) -> Rules:
        return {Started: self._started, Opened: self._opened, Fact: self._fact, Told: self._tell}

    def hole(self) -> None:
        """Numbers may go on anywhere."""
        self._sure = False
        self._facts.clear()
        self._told.clear()

    def finish(self) -> Iterator[Finding]:
        yield from ()

    def _started(self, entry: Started) -> None:
        self._boot, self._sure = entry.boot, True
        self._facts.clear()
        self._told.clear()

    def _fact(self, entry: Fact) -> str | None:
        if not entry.order:
            return None
        last = self._facts.get(entry.robot, 0 if self._sure else -1)
        self._facts[entry.robot] = entry.order
        if self._sure and entry.boot != self._boot:
            return f"{entry.topic} is numbered by boot {entry.boot}, and this is {self._boot}"
        if last >= 0 and entry.order != last + 1:
            return f"{entry.topic} has number {entry.order} after {last}"
        return None

    def _opened(self, entry: Opened) -> None:
        told = self._told.get(entry.robot)
        if told is None or told.session != entry.session:
            told = self._told[entry.robot] = _Told()
            told.session = entry.session
        told.connection, told.last = entry.connection, 0

    def _tell(self, entry: Told) -> str | None:
        body = entry.body
        told = self._told.get(entry.robot)
        if told is None or told.connection != entry.connection:
            return None
        if isinstance(body, Welcome):
            told.highest = body.order
            return None
        if not isinstance(body, Numbered) or not body.order:
            return None
        order, last, highest = body.order, told.last, told.highest
        told.last = order
        told.highest = max(highest, order)
        kind = type(body).__name__.lower()
        if order <= last:
            return f"{kind} has number {order} after {last} on one connection"
        if highest >= 0 and order > highest + 1:
            return f"{kind} has number {order} after {highest}"
        was = told.told.get(order)
        if was is not None and was != _digest(body):
            return f"{kind} came again under number {order}, and is another message"
        told.told[order] = _digest(body)
        return None


def _digest(body: Numbered) -> int:
    """What tells one message from another, as far as a trace knows it."""
    return hash((type(body), getattr(body, "turn", 0), getattr(body, "id", "")))
