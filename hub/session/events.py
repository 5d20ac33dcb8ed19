"""Everything that can happen to a robot's session. The shell makes these; the engine decides."""

from dataclasses import dataclass

from hub.open_turn import OpenTurn
from hub.session.character import Character
from protocols.envelope import Message
from protocols.messages.agent import AgentKind
from protocols.messages.memory import MemoryState
from protocols.messages.robot import FromRobot, Hello
from protocols.messages.session import Attention
from protocols.messages.turn import Exchange, Priority, Sight


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection owns the robot from now on.

    ``resumable``: its wire knows how to return to its session. ``resumed``: it has returned;
    ``replayed`` unless the robot must be told again where everything stands.
    """

    epoch: int
    session: str
    hello: Hello
    history: tuple[Exchange, ...] = ()
    resumable: bool = False
    resumed: bool = False
    replayed: bool = True


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The owner connection is gone. ``code`` is its close code, 1006 without a close frame."""

    reason: str
    code: int = 0


@dataclass(frozen=True, slots=True)
class Restarted:
    """The robot, which has just connected, was in ``turn`` when an earlier run of the hub ended;
    its loudspeaker got to ``played_ms``."""

    turn: OpenTurn
    played_ms: int


@dataclass(frozen=True, slots=True)
class FromAgent:
    """A fact of the instance that serves this robot. ``turn`` and ``role`` are the envelope's."""

    message: Message
    kind: AgentKind
    role: str
    turn: int = 0
    t_src_ns: int = 0


@dataclass(frozen=True, slots=True)
class FromUser:
    """A control message of the robot's connection. ``mic_samples`` of microphone audio came before
    it."""

    message: FromRobot
    mic_samples: int = -1


@dataclass(frozen=True, slots=True)
class SpeechArrived:
    """The first audio of a turn has come from tts."""

    turn: int


@dataclass(frozen=True, slots=True)
class SpeechSent:
    """The first audio of a turn went out to the robot."""

    turn: int


@dataclass(frozen=True, slots=True)
class SpeechHeard:
    """The loudspeaker has got to ``played_ms`` of a turn. ``first_ns`` is when it began."""

    turn: int
    played_ms: int
    first_ns: int


@dataclass(frozen=True, slots=True)
class Announce:
    """Somebody wants the robot to say something, or only to show it: the text may be empty;
    ``request`` names who waits for the outcome. ``when_free``: what cannot be said now waits for up
    to ``ttl_ms`` until nobody speaks. ``asked``: the robot's user wants to hear it, even while the
    robot is quiet."""

    text: str
    priority: Priority
    emotion: str = "neutral"
    intensity: float = 0.5
    interruptible: bool = True
    request: int = 0
    gestures: tuple[str, ...] = ()
    when_free: bool = False
    ttl_ms: int = 60_000
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of the ``Look`` of a turn."""

    turn: int
    sight: Sight


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the robot remembers, and whether it may."""

    memory: MemoryState


@dataclass(frozen=True, slots=True)
class Characterised:
    """Who the robot is from its next turn on."""

    character: Character


@dataclass(frozen=True, slots=True)
class Reminded:
    """What came of the ``Remind`` of a turn: what is to be said; empty if it could not be done."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Attend:
    """Somebody from outside has chosen how the robot listens, or mutes it, or ends that; None leaves
    it as it is."""

    attention: Attention | None = None
    muted: bool | None = None


@dataclass(frozen=True, slots=True)
class Felt:
    """Somebody from outside has an order for the robot's feelings."""

    order: Message


@dataclass(frozen=True, slots=True)
class AgentUp:
    """An instance that can serve this robot became ready."""

    kind: AgentKind
    role: str


@dataclass(frozen=True, slots=True)
class AgentDown:
    """The instance that served this robot is gone."""

    kind: AgentKind
    role: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A timer of the state is due."""


Event = (
    Connected | Disconnected | Restarted | FromAgent | FromUser | SpeechArrived | SpeechSent | SpeechHeard
    | Announce | Characterised | Reminded | Seen | Recalled | Attend | Felt | AgentUp | AgentDown | Tick
)  # fmt: skip
