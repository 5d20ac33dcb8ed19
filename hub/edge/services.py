"""What the edge needs of the rest of the hub, and nothing more."""

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.aliases import aliases_of
from hub.counters import Counters
from hub.edge.auth import Gate
from hub.edge.bulk import nobody_is_answered
from hub.edge.clock import Reading
from hub.edge.faces import Faces
from hub.edge.limits import BODY_PATIENCE, MAX_CONNECTIONS, BodyPatience
from hub.edge.minds import Mindless, Minds
from hub.edge.recordings import Recordings
from hub.gpu_budget import NO_ORPHEUS, OrpheusPolicy
from hub.jobs.admission import AgentView, PlanAdmission
from hub.jobs.orders import JobFact, JobOrder
from hub.jobs.records import JobNumbers, JobRecord
from hub.log_ring import LogRing
from hub.measures import Measures
from hub.observing.observatory import Observatory
from hub.reminders.desk import ReminderDesk
from hub.session.link import Sessions
from hub.trace.folder import TraceFolder
from protocols.messages.agent import AgentKind, AgentProgress
from protocols.messages.job import PlanDone, SpeakRequest
from protocols.messages.model import ModelLoad, ModelUnload


@dataclass(frozen=True)
class SessionNumbers:
    """How many sessions there were and are, since the start. Of those that are ``stashed`` the
    robot is away and its conversation is kept."""

    active: int = 0
    registered: int = 0
    preempted: int = 0
    unregistered: int = 0
    stashed: int = 0
    stash_hits: int = 0
    stash_expired: int = 0


@dataclass(frozen=True)
class HubReport:
    """The hub at one moment."""

    agents: tuple[AgentView, ...] = ()
    robots: tuple[str, ...] = ()
    sessions: SessionNumbers = SessionNumbers()
    counters: Mapping[str, int] = field(default_factory=dict)
    draining: bool = False
    profiles_refused: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with the files of robots' profiles, by robot."""
    degraded: Mapping[str, str] = field(default_factory=dict)
    """Processes that cannot be kept running, and why."""
    violations: Mapping[str, int] = field(default_factory=dict)
    """Broken invariants that the monitor has seen, by name."""
    vram_free_gb: float | None = None
    """GiB free on the GPU that engines use, as measured; None where it cannot be."""
    vram_total_gb: float | None = None
    gpu_name: str = ""
    restarts: Mapping[str, int] = field(default_factory=dict)
    """How often the supervisor had to start each process again."""
    measures: Measures = field(default_factory=Measures)
    """What the hub measures of itself; not a copy."""
    jobs: JobNumbers = field(default_factory=JobNumbers)
    long_work_held: bool = False
    """Robots are being answered, and jobs of long work hold for it."""


class Jobs(Protocol):
    """Requests with an answer."""

    @property
    def plan_admission(self) -> PlanAdmission: ...

    async def plan(self, world: dict[str, Any], deadline_s: float, client: str = "") -> PlanDone:
        """A plan for a world state; ``client`` is the id of the grant that asks.

        Raises:
            Busy, JobTimeout, AgentMissing, JobError: see ``hub/errors.py``.
        """

    def speak(
        self, request: SpeakRequest, robot: str = "", client: str = ""
    ) -> AsyncGenerator[bytes, None]:
        """Audio of a text, s16le mono at the requested rate, as it is made; closing the generator
        cancels the job. ``client`` and errors as with ``plan``."""

    def change_model(
        self, agent: AgentView, order: ModelLoad | ModelUnload
    ) -> AsyncGenerator[AgentProgress, None]:
        """What an agent tells while it loads or unloads a model, until it has; closing the
        generator cancels the job. Raises ``AgentMissing`` and ``JobError``."""

    def run(self, order: JobOrder) -> AsyncGenerator[JobFact, None]:
        """What a job tells, until it is done; closing the generator cancels it down to the engine.

        Raises:
            Busy, JobTimeout, AgentMissing, JobError: see ``hub/jobs/desk.py``.
        """

    def now(self) -> int:
        """The time that records are in, in nanoseconds."""

    def records(self) -> list[JobRecord]:
        """Jobs under way, then those that ended lately, the latest first."""

    def record(self, job_id: str) -> JobRecord | None:
        """What is known of a job."""

    def cancel(self, job_id: str) -> bool:
        """End a job that somebody waits for; False if there is none of this id."""


CONVERSATION = (AgentKind.EARS, AgentKind.STT, AgentKind.PLANNER, AgentKind.TTS)
"""Without these no conversation can be held."""


@dataclass(frozen=True)
class EdgeFacts:
    """Settings that the edge obeys or tells about."""

    version: str = "0.1.0"
    hub_id: str = ""
    plan_timeout_s: float = 5.0
    plan_fallback: str = "none"
    max_actions: int = 5
    needed: tuple[AgentKind, ...] = CONVERSATION
    """Which agents have to take work before the hub counts as ready."""
    guard: bool = True
    """What a plan lets a robot say passes the guard."""
    llm_backend: str = "auto"
    llm_model: str = ""
    auto_pull_ollama_model: bool = False
    performance_mode: bool = False
    orpheus: OrpheusPolicy = NO_ORPHEUS
    llm_utilization: float = 0.35
    orpheus_utilization: float = 0.45
    utilization_cap: float = 0.80
    stt_model_size: str = "base.en"
    stt_device: str = "cpu"
    stt_compute_type: str = "int8"
    tts_backend: str = "auto"
    tts_model_name: str = ""
    tts_busy_queue_threshold: int = 0
    hf_token_present: bool = False
    max_connections: int = MAX_CONNECTIONS
    aliases: Mapping[str, str] = field(default_factory=lambda: aliases_of(()))
    """What names of models mean, in lower case (``MODEL_ALIASES``)."""
    cache_entries: int = 256
    cache_s: float = 0.0
    """How many answers are kept to be given again to the same request, and how long; 0: none."""
    tracing: bool = False
    recording: bool = False
    """What people say is kept: words and sound are in the trace."""
    bench: bool = False
    """The engines are scripted and hear marks instead of voices."""


class Clocks:
    """What is known of the clocks of connected robots. ``measured`` is told of every reading, with
    robot and epoch."""

    def __init__(
        self, measured: Callable[[str, int, Reading], None] = lambda robot, epoch, reading: None
    ) -> None:
        self._measured = measured
        self._readings: dict[str, tuple[int, Reading]] = {}

    def note(self, robot: str, epoch: int, reading: Reading) -> None:
        """A connection has a new reading."""
        self._readings[robot] = (epoch, reading)
        self._measured(robot, epoch, reading)

    def forget(self, robot: str, epoch: int) -> None:
        """The connection of ``epoch`` is gone."""
        if robot in self._readings and self._readings[robot][0] == epoch:
            del self._readings[robot]

    def read(self) -> dict[str, Reading]:
        """The readings by robot."""
        return {robot: reading for robot, (_, reading) in self._readings.items()}


def everything_allowed(robot: str) -> frozenset[str] | None:
    """A robot that has not said what it can do may be asked for anything."""
    return None


@dataclass(frozen=True)
class EdgeServices:
    """What ``build_app`` is given. ``allowed_actions`` tells which emotions, gestures and skills
    a connected robot declared. ``clock_ns`` is the hub's clock. ``threads`` run audio codecs."""

    sessions: Sessions
    jobs: Jobs
    gate: Gate
    health: Callable[[], HubReport]
    facts: EdgeFacts = EdgeFacts()
    counters: Counters = field(default_factory=Counters)
    allowed_actions: Callable[[str], frozenset[str] | None] = everything_allowed
    is_quiet: Callable[[str], bool] = lambda robot: False
    """Whether a robot does not begin to speak by itself at this hour."""
    minds: Minds = field(default_factory=Mindless)
    """What robots feel and remember."""
    reminders: ReminderDesk | None = None
    """Timers and reminders; None where nobody keeps them."""
    clocks: Clocks = field(default_factory=Clocks)
    faces: Faces = field(default_factory=Faces)
    clock_ns: Callable[[], int] = time.monotonic_ns
    patience: BodyPatience = BODY_PATIENCE
    """How slowly the body of a request may come."""
    threads: Executor = field(default_factory=lambda: ThreadPoolExecutor(2, "hub-codec"))
    recordings: Recordings = field(default_factory=Recordings)
    observatory: Observatory = field(default_factory=Observatory)
    logs: LogRing = field(default_factory=LogRing)
    traces: TraceFolder = field(default_factory=TraceFolder)
    held: Callable[[], bool] = nobody_is_answered
    """Whether a robot is being answered, so that bulky work holds."""
    linked: Callable[[], Sequence[AgentView]] | None = None
    is_draining: Callable[[], bool] | None = None

    def agents(self) -> tuple[AgentView, ...]:
        """Every agent there is, without the rest of the report: asked at every request."""
        return tuple(self.linked()) if self.linked is not None else self.health().agents

    def draining(self) -> bool:
        """Whether nothing new is taken; likewise."""
        return self.is_draining() if self.is_draining is not None else self.health().draining
