"""The hub process: the only file that knows all parts. It wires them, starts them and lets them
finish; it decides nothing."""

import asyncio
import gc
import signal
import sys
import time
from contextlib import AsyncExitStack
from importlib.metadata import version

import structlog

from hub.broker.zmq import ZmqHubBus
from hub.counters import Counters
from hub.edge.app import build_app
from hub.edge.auth import Gate
from hub.edge.server import Tls, bind, serve
from hub.edge.services import EdgeFacts, EdgeServices, HubReport, SessionNumbers
from hub.errors import StartRefused
from hub.jobs.admission import JobLimits
from hub.jobs.desk import JobDesk
from hub.log import configure_logs
from hub.registry import AgentInfo, Registry
from hub.session.manager import SessionManager
from hub.session.state import Policy
from hub.settings import Settings, SettingsError, load
from hub.store.datadir import DataDir
from hub.store.sqlite import SqliteStore
from hub.store.tokens import StoredTokens
from protocols.errors import BusError

EXIT_REFUSED = 2
_EXPIRY_S = 60.0

log = structlog.get_logger()


class Hub:
    """One run of the hub over its settings."""

    def __init__(self, settings: Settings, tasks: asyncio.TaskGroup, store: SqliteStore) -> None:
        self.store = store
        self.counters = Counters()
        self.bus = ZmqHubBus(settings.bus_dir, store.boot, clock=time.monotonic_ns)
        self.registry = Registry(self.bus)
        self.sessions = SessionManager(
            self.bus,
            self.registry,
            store,
            tasks,
            time.monotonic_ns,
            _policy(settings),
            self.counters,
        )
        self.jobs = JobDesk(self.bus, self.registry, _limits(settings), self.counters)
        self.gate = Gate(
            StoredTokens(store), settings.is_loopback, settings.hub_hosts, settings.hub_origins
        )
        self.draining = False
        self.registry.watch(self._agent_changed)

    def _agent_changed(self, agent: AgentInfo, up: bool) -> None:
        log.info(
            "agent ready" if up else "agent lost",
            agent=agent.instance,
            role=agent.role,
            backend=agent.backend,
        )
        if not up:
            self.jobs.peer_lost(agent.instance)

    def report(self) -> HubReport:
        """The hub at this moment, for people and for the documented health answer."""
        robots = tuple(r.robot for r in self.sessions.robots() if r.connected)
        counts = self.counters.read()
        bus = self.bus.counters
        mishaps = {
            **{f"bus_lost.{topic}": n for topic, n in bus.lost.items()},
            **{f"bus_dropped.{topic}": n for topic, n in bus.dropped.items()},
            **{f"bus_refused.{code}": n for code, n in bus.refused.items()},
            "bus_duplicates": bus.duplicates,
        }
        return HubReport(
            agents=tuple(self.registry.agents()),
            robots=tuple(sorted(robots)),
            sessions=SessionNumbers(
                active=len(robots),
                registered=counts.get("robots_attached", 0),
                preempted=counts.get("robots_taken_over", 0),
                unregistered=counts.get("robots_detached", 0),
            ),
            counters=mishaps,
            draining=self.draining,
        )

    async def finish_turns(self, limit_s: float) -> None:
        """Take nothing new, let turns end for up to ``limit_s``, then send the robots away."""
        self.draining = True
        self.sessions.drain()
        try:
            async with asyncio.timeout(limit_s):
                await self.sessions.silent()
        except TimeoutError:
            log.warning("turns cut by shutdown", robots=self.sessions.talking)
        self.sessions.dismiss()

    async def expire_history(self) -> None:
        """Forget conversations of robots that are long gone, for as long as the hub runs."""
        while True:
            robots = self.sessions.robots()
            await self.store.expire(connected=[r.robot for r in robots if r.connected])
            await asyncio.sleep(_EXPIRY_S)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Run the hub until ``stop`` is set.

    Raises:
        StartRefused: something it needs is not to be had; the text is for its user.
        BusError: the bus's sockets cannot be bound.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(DataDir(settings.hub_data_dir))
        store = SqliteStore(settings.hub_data_dir)
        await store.open()
        stack.push_async_callback(store.close)
        async with asyncio.TaskGroup() as tasks:
            hub = Hub(settings, tasks, store)
            await hub.gate.check_start()
            served = asyncio.Event()
            app = build_app(_edge(hub, settings))
            listeners = [bind(settings.server_host, settings.server_port)]
            if settings.api_port is not None:
                host = settings.api_host or settings.server_host
                listeners.append(bind(host, settings.api_port))
            await stack.enter_async_context(hub.bus)
            expiry = tasks.create_task(hub.expire_history())
            for listener in listeners:
                tasks.create_task(serve(app, listener, served, tls=_tls(settings)))
                log.info("listening", address=listener.getsockname()[:2])
            _settle_memory()
            await stop.wait()
            await hub.finish_turns(settings.hub_drain_s)
            expiry.cancel()
            served.set()


def _settle_memory() -> None:
    """Everything that lives for ever is alive now: keep the collector from walking it again."""
    gc.collect()
    gc.freeze()


def _policy(settings: Settings) -> Policy:
    return Policy(
        planner_deadline_ms=settings.hub_planner_deadline_ms, filler_ms=settings.hub_filler_ms
    )


def _limits(settings: Settings) -> JobLimits:
    return JobLimits(
        plan_max_inflight=settings.plan_max_inflight,
        llm_max_inflight=settings.llm_max_inflight,
        tts_busy_queue_threshold=settings.tts_busy_queue_threshold,
        plan_falls_back=settings.plan_fallback == "reflex",
    )


def _tls(settings: Settings) -> Tls | None:
    if settings.hub_tls_cert is None or settings.hub_tls_key is None:
        return None
    return Tls(settings.hub_tls_cert, settings.hub_tls_key)


def _edge(hub: Hub, settings: Settings) -> EdgeServices:
    facts = EdgeFacts(
        version=version("robot-hub"),
        hub_id=hub.store.hub_id,
        plan_timeout_s=settings.plan_timeout_s,
        plan_fallback=settings.plan_fallback,
        max_actions=settings.max_actions,
        llm_backend=settings.llm_backend,
        llm_model=settings.vllm_model_name if settings.llm_backend == "vllm" else "",
        auto_pull_ollama_model=settings.auto_pull_ollama_model,
        performance_mode=settings.performance_mode,
        orpheus_allowed=settings.orpheus_allowed,
        llm_utilization=settings.vllm_gpu_memory_utilization,
        orpheus_utilization=settings.orpheus_gpu_memory_utilization,
        utilization_cap=settings.gpu_utilization_cap,
        stt_model_size=settings.stt_model_size,
        stt_device=settings.stt_device,
        stt_compute_type=settings.stt_compute_type,
        tts_backend=settings.tts_backend,
        tts_model_name=settings.tts_model_name,
        tts_busy_queue_threshold=settings.tts_busy_queue_threshold,
        hf_token_present=settings.hf_token_present,
    )
    return EdgeServices(
        sessions=hub.sessions,
        jobs=hub.jobs,
        gate=hub.gate,
        health=hub.report,
        facts=facts,
        counters=hub.counters,
        allowed_actions=hub.sessions.capabilities,
    )


async def _until_signalled(settings: Settings) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop)


def main() -> int:
    """Run the hub of this process's settings until it is told to stop; return the exit code."""
    try:
        settings = load()
        configure_logs(settings.hub_log_level, json=settings.hub_log_json)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_until_signalled(settings))
    except (SettingsError, StartRefused, BusError) as error:
        return _refuse(error)
    except BaseExceptionGroup as group:
        refusals, _ = group.split((StartRefused, BusError))
        if refusals is None:
            raise
        return _refuse(refusals)
    return 0


def _refuse(error: BaseException) -> int:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    sys.stderr.write(f"{error}\n")
    return EXIT_REFUSED


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop
