"""What the engine wants done. The shell performs these in order and decides nothing."""

from dataclasses import dataclass

from hub.reminders.wish import Wish
from protocols.envelope import Message
from protocols.messages.agent import AgentKind
from protocols.messages.robot import ToRobot
from protocols.messages.turn import Exchange

PRIMARY, REFLEX = "primary", "reflex"


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a control message to the robot."""

    message: ToRobot


@dataclass(frozen=True, slots=True)
class Report:
    """Publish a fact, under ``turn``'s identity."""

    message: Message
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """Send a command to the instance that serves this robot."""

    kind: AgentKind
    message: Message
    turn: int = 0
    role: str = PRIMARY


@dataclass(frozen=True, slots=True)
class Fence:
    """Speech at or below ``turn`` leaves the hub no more."""

    turn: int


@dataclass(frozen=True, slots=True)
class Expect:
    """A turn began; its speech may come from now on, and is kept until ``Play``."""

    turn: int


@dataclass(frozen=True, slots=True)
class Play:
    """Let the speech of ``turn`` out to the robot as it comes."""

    turn: int


@dataclass(frozen=True, slots=True)
class SpeechComplete:
    """The response of ``turn`` has ``samples`` samples in all."""

    turn: int
    samples: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop sending ``turn``, keep what is left of it."""

    turn: int


@dataclass(frozen=True, slots=True)
class Release:
    """Go on sending ``turn``."""

    turn: int


@dataclass(frozen=True, slots=True)
class Resume:
    """The robot is back: go on sending from the first sample that it does not have."""


@dataclass(frozen=True, slots=True)
class Remember:
    """Commit an exchange to the robot's history."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Look:
    """Find out what the robot's camera shows, with ``question`` in mind; the answer is ``Seen``."""

    turn: int
    question: str


@dataclass(frozen=True, slots=True)
class LookAway:
    """What ``turn`` wanted to see is wanted no more."""

    turn: int


@dataclass(frozen=True, slots=True)
class Recall:
    """Find out what the robot remembers; the answer is ``Recalled``."""


@dataclass(frozen=True, slots=True)
class Note:
    """Have the robot remember ``tags``, as it may."""

    tags: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Remind:
    """Do what the user of ``turn`` wants of timers and reminders; the answer is ``Reminded``."""

    turn: int
    wish: Wish


@dataclass(frozen=True, slots=True)
class TakeBack:
    """What ``turn`` has set is not wanted: its user went on, or said stop, before any of the answer
    was heard."""

    turn: int


@dataclass(frozen=True, slots=True)
class Settle:
    """Tell whoever waits for ``request`` how it ended."""

    request: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Stale:
    """Count what came too late or from the wrong place."""

    what: str


@dataclass(frozen=True, slots=True)
class KeptBack:
    """Count what was kept back: by the guard from the user (``spoken``) or from a planner
    (``heard``), by a guardrail of feelings from the face (``felt``)."""

    direction: str
    category: str


Question = Look | LookAway | Recall | Note | Remind | TakeBack
"""What is done beside the conversation."""

Effect = (
    Tell | Report | Order | Fence | Expect | Play | SpeechComplete | Hold | Release
    | Resume | Remember | Question | Settle | Stale | KeptBack
)  # fmt: skip
