"""An agent's life on the bus."""

from enum import StrEnum

from protocols.envelope import Message


class AgentKind(StrEnum):
    """The trades the hub knows."""

    EARS = "ears"
    STT = "stt"
    PLANNER = "planner"
    TTS = "tts"
    VISION = "vision"
    IMAGE_GEN = "image_gen"
    MEMORY = "memory"
    FEELINGS = "feelings"
    RECORDER = "recorder"


class AgentState(StrEnum):
    """How far an agent is."""

    LOADING = "loading"
    READY = "ready"
    DEGRADED = "degraded"
    DRAINING = "draining"
    LOST = "lost"


class AgentHello(Message, tag="agent.hello"):
    """First fact of an agent on a link. ``role`` tells two agents of one kind apart
    (``primary``, ``reflex``); ``pid`` is for people."""

    kind: AgentKind
    role: str = "primary"
    backend: str = ""
    pid: int = 0
    consumes: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()


class AgentReady(Message, tag="agent.ready"):
    """The self-test inference passed; ``capacity`` scopes may be served at once."""

    capacity: int
    backend: str
    model: str = ""
    selftest_ms: float = 0.0
    info: dict[str, str] = {}


class AgentProgress(Message, tag="agent.progress"):
    """A model is loading or downloading: ``done`` of ``total`` (0 unknown) in ``unit``."""

    step: str
    done: float = 0.0
    total: float = 0.0
    unit: str = ""


class AgentHeartbeat(Message, tag="agent.heartbeat"):
    """From the agent's own loop twice a second: a hung loop sends none.

    ``fences`` is the turn fence the agent holds per robot, so that a cancel that was lost on the
    way is seen and sent again.
    """

    active: int = 0
    lag_ms: float = 0.0
    fences: dict[str, int] = {}
    drops: dict[str, int] = {}


class AgentHealth(Message, tag="agent.health"):
    """State: an agent as the registry sees it."""

    kind: AgentKind
    role: str
    state: AgentState
    backend: str = ""
    detail: str = ""


class AgentDrain(Message, tag="agent.drain"):
    """Order: finish what you do, take nothing new, leave."""

    reason: str = ""
