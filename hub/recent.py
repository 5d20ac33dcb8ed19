"""What happened to each robot lately, without words: a short memory of the trace's entries."""

from collections import OrderedDict, deque
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import msgspec

from hub.trace.entries import Closed, Entry, Fact, Opened
from hub.trace.redact import redacted
from protocols.messages.action import ActionDone, ActionRequested
from protocols.messages.face import AffectChanged, GesturePlayed
from protocols.messages.turn import ToolDone, ToolPending, TurnEnded, TurnReopened, TurnStarted

KEPT_EVENTS = 200
"""How many events of a robot are kept,"""
KEPT_ROBOTS = 1_000
"""and of how many robots: those of whom something was heard last."""

_FACTS = (
    TurnStarted, TurnReopened, TurnEnded, AffectChanged, GesturePlayed, ActionRequested, ActionDone,
    ToolPending, ToolDone,
)  # fmt: skip
_IDENTITY = frozenset({"n", "t_ns", "by", "robot", "type"})


class Happening(NamedTuple):
    """Something that happened to a robot; ``seq`` is its place in the trace."""

    type: str
    payload: dict[str, Any]
    t_mono_ms: int
    seq: int


class RecentEvents:
    """``take`` is a sink of the hub's tap."""

    def __init__(self, kept: int = KEPT_EVENTS, robots: int = KEPT_ROBOTS) -> None:
        self._kept = kept
        self._most = robots
        self._events: OrderedDict[str, deque[Happening]] = OrderedDict()

    def take(self, entry: Entry) -> None:
        """Keep ``entry`` if it is about a robot, and of those that are kept."""
        match entry:
            case Fact(body=body, robot=robot) if robot and isinstance(body, _FACTS):
                # The entry has words where the hub records them; programs are told none.
                payload = _fields(redacted(body)) | {"turn": entry.turn}
                self._add(robot, Happening(entry.topic, payload, _ms(entry), entry.n))
            case Opened():
                payload = {"client": entry.client, "resumed": entry.resumed}
                self._add(entry.robot, Happening("robot.connected", payload, _ms(entry), entry.n))
            case Closed():
                payload = {"code": entry.code}
                self._add(
                    entry.robot, Happening("robot.disconnected", payload, _ms(entry), entry.n)
                )

    def last(self, robot: str, most: int, pattern: str = "*") -> list[Happening]:
        """The last events of ``robot`` whose type fits ``pattern`` (as file names do), the oldest
        first."""
        events = self._events.get(robot, ())
        found = [event for event in events if fnmatchcase(event.type, pattern)]
        return found[-most:] if most > 0 else []

    def _add(self, robot: str, happening: Happening) -> None:
        events = self._events.get(robot)
        if events is None:
            events = self._events[robot] = deque(maxlen=self._kept)
            if len(self._events) > self._most:
                self._events.popitem(last=False)
        self._events.move_to_end(robot)
        events.append(happening)


def _fields(body: msgspec.Struct) -> dict[str, Any]:
    """The fields of a message that say something."""
    told: dict[str, Any] = msgspec.to_builtins(body)
    return {name: value for name, value in told.items() if name not in _IDENTITY and value}


def _ms(entry: Entry) -> int:
    return entry.t_ns // 1_000_000
