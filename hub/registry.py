"""The agents that serve this hub: who is linked, who is ready, who takes the next piece of work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from protocols.bus import HubBus
from protocols.envelope import AnyEnvelope, Envelope
from protocols.messages.agent import (
    AgentHealth,
    AgentHeartbeat,
    AgentHello,
    AgentKind,
    AgentProgress,
    AgentReady,
    AgentState,
)
from protocols.messages.model import LoadState, ModelLoad, ModelState
from protocols.topics import topic_name


@dataclass(frozen=True, slots=True)
class AgentInfo:
    """An instance as the registry sees it."""

    instance: str
    kind: AgentKind
    role: str
    backend: str = ""
    state: AgentState = AgentState.LOADING
    capacity: int = 0
    active: int = 0
    lag_ms: float = 0.0
    model: str = ""
    progress: str = ""
    info: dict[str, str] = field(default_factory=dict)
    drops: Mapping[str, int] = field(default_factory=dict)
    """What it threw away or missed since it was started, by name."""
    has_models: bool = False
    """It loads and unloads models when it is told to."""
    engine: ModelState | None = None
    """What it last said of its engine."""


Watcher = Callable[[AgentInfo, bool], None]
"""Called with an instance and whether it became able to serve (True) or is gone (False)."""


class Registry:
    """Keeps the agents' states by what they report and picks instances by load."""

    def __init__(self, bus: HubBus) -> None:
        self._bus = bus
        self._agents: dict[str, AgentInfo] = {}
        self._watchers: list[Watcher] = []
        bus.on_peers(self._joined, self._left)
        bus.subscribe(AgentReady, self._ready)
        bus.subscribe(AgentHeartbeat, self._heartbeat)
        bus.subscribe(AgentProgress, self._progress)
        bus.subscribe(ModelState, self._model)

    def watch(self, watcher: Watcher) -> None:
        """Be told of every instance that can serve, from now on, and of its loss."""
        self._watchers.append(watcher)

    def agents(self) -> list[AgentInfo]:
        """Every linked instance."""
        return list(self._agents.values())

    def get(self, instance: str) -> AgentInfo | None:
        return self._agents.get(instance)

    def pick(self, kind: AgentKind, role: str | None = None) -> AgentInfo | None:
        """The ready instance of ``kind`` with the most room, or None."""
        ready = [
            agent
            for agent in self._agents.values()
            if agent.kind is kind
            and agent.state is AgentState.READY
            and (role is None or agent.role == role)
        ]
        return min(ready, key=lambda a: (a.active / max(a.capacity, 1), a.instance), default=None)

    def _joined(self, instance: str, hello: AnyEnvelope) -> None:
        said = hello.body
        assert isinstance(said, AgentHello)
        has_models = topic_name(ModelLoad) in said.consumes
        self._update(AgentInfo(instance, said.kind, said.role, said.backend, has_models=has_models))

    def _left(self, instance: str, reason: str) -> None:
        agent = self._agents.pop(instance, None)
        if agent is None:
            return
        was_ready = agent.state is AgentState.READY
        gone = replace(agent, state=AgentState.LOST)
        self._publish(gone, reason)
        if was_ready:
            self._tell(gone, False)

    def _ready(self, envelope: AnyEnvelope, _: bytes) -> None:
        said = envelope.body
        agent = self._agents.get(envelope.src)
        if agent is None or not isinstance(said, AgentReady):
            return
        ready = replace(
            agent,
            state=AgentState.READY,
            capacity=said.capacity,
            backend=said.backend,
            model=said.model,
            info=said.info,
            progress="",
        )
        self._update(ready)
        if agent.state is not AgentState.READY:
            self._tell(ready, True)

    def _heartbeat(self, envelope: AnyEnvelope, _: bytes) -> None:
        said = envelope.body
        agent = self._agents.get(envelope.src)
        if agent is not None and isinstance(said, AgentHeartbeat):
            self._agents[agent.instance] = replace(
                agent, active=said.active, lag_ms=said.lag_ms, drops=said.drops
            )

    def _progress(self, envelope: AnyEnvelope, _: bytes) -> None:
        said = envelope.body
        agent = self._agents.get(envelope.src)
        if agent is not None and isinstance(said, AgentProgress):
            share = f" {said.done / said.total:.0%}" if said.total else ""
            self._agents[agent.instance] = replace(agent, progress=f"{said.step}{share}")

    def _model(self, envelope: AnyEnvelope, _: bytes) -> None:
        said = envelope.body
        agent = self._agents.get(envelope.src)
        if agent is not None and isinstance(said, ModelState):
            loading = said.state is LoadState.LOADING
            progress = agent.progress if loading else ""
            self._agents[agent.instance] = replace(agent, engine=said, progress=progress)

    def _update(self, agent: AgentInfo) -> None:
        self._agents[agent.instance] = agent
        self._publish(agent)

    def _publish(self, agent: AgentInfo, detail: str = "") -> None:
        health = AgentHealth(
            kind=agent.kind,
            role=agent.role,
            state=agent.state,
            backend=agent.backend,
            detail=detail,
        )
        self._bus.publish(Envelope(body=health, session=agent.instance))

    def _tell(self, agent: AgentInfo, up: bool) -> None:
        for watcher in self._watchers:
            watcher(agent, up)
