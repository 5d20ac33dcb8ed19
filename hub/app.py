"""The hub process: the only file that knows all parts. It wires them, starts them and lets them
finish; it decides nothing."""

import asyncio
import signal
import sys
import time
from contextlib import AsyncExitStack
from importlib.metadata import version

import structlog

from hub.announce import announcement_of, announcing
from hub.broker.zmq import ZmqHubBus
from hub.counters import Counters
from hub.degraded import read_degraded
from hub.edge.app import build_app
from hub.edge.auth import Gate, SignedTokens
from hub.edge.clock import DRIFT_PPM, Reading
from hub.edge.mcp.door import McpDoor
from hub.edge.server import Tls, bind, serve
from hub.edge.services import Clocks, EdgeServices, HubReport, SessionNumbers
from hub.edge_facts import facts_of
from hub.errors import DiskFull, StartRefused, StoreFailed
from hub.gpu import GpuWatch, Nvml
from hub.jobs.admission import JobLimits
from hub.jobs.desk import JobDesk
from hub.jobs.holding import HoldKeeper
from hub.jobs.job import Bounds
from hub.log import configure_logs
from hub.log_ring import LogRing
from hub.looking import JobLooking
from hub.measures import Measures
from hub.observing.observatory import Observatory
from hub.personal import Personal
from hub.registry import AgentInfo, Registry
from hub.remembering import JobRemembering, RobotMinds
from hub.session.manager import SessionManager
from hub.session.state import Policy
from hub.settings import Settings, SettingsError, load
from hub.starts import read_restarts
from hub.store.datadir import DataDir
from hub.store.sqlite import SqliteStore
from hub.store.tokens import StoredTokens
from hub.trace.alarm import Alarm
from hub.trace.feed import Feed
from hub.trace.folder import TraceFolder
from hub.trace.monitor import Monitor
from hub.trace.tap import Tap
from protocols.envelope import Envelope
from protocols.errors import BusError
from protocols.heap import Heap
from protocols.messages.agent import AgentKind
from protocols.messages.session import Attention, ClockMeasured
from protocols.messages.trace import TraceBatch

EXIT_REFUSED = 2
EXIT_TRY_AGAIN = 1
"""A full disk is no reason to give up for good: whoever supervises starts the hub again."""
_EXPIRY_S = 60.0
_DEPTHS_S = 0.5
_LAST_BATCH_S = 0.1
"""The media lane acknowledges nothing: how long the last batch of a trace is given to arrive."""
_VERSION = version("robot-hub")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger()


class Hub:
    """One run of the hub over its settings."""

    def __init__(self, settings: Settings, tasks: asyncio.TaskGroup, store: SqliteStore) -> None:
        self.store = store
        self._data_dir = settings.hub_data_dir
        self.counters = Counters()
        self.bus = ZmqHubBus(settings.bus_dir, store.boot, clock=time.monotonic_ns)
        self.registry = Registry(self.bus)
        self.monitor = Monitor(told=Alarm(time.monotonic_ns).tell)
        self.tap = Tap(time.monotonic_ns, words=settings.hub_record)
        self.tap.add(self.monitor.take)
        self.measures = Measures()
        self.heap = Heap()
        self.tap.add(self.measures.take)
        self.observatory = Observatory(self.tap)
        self.feed: Feed | None = None
        if settings.trace_dir is not None:
            self.feed = Feed(self.bus.publish, self._trace_of(), self.counters)
            self.tap.add(self.feed.take, media=True)
        self.tap.started(store.boot, store.hub_id, _VERSION)
        self.holds = HoldKeeper(self.bus)
        self.jobs = JobDesk(
            self.bus,
            self.registry,
            _limits(settings),
            self.counters,
            Bounds(running=settings.hub_jobs_running),
        )
        self.personal = Personal(self._data_dir, store, self.bus, self.counters)
        self.sessions = SessionManager(
            self.bus,
            self.registry,
            store,
            tasks,
            time.monotonic_ns,
            _policy(settings),
            self.counters,
            tap=self.tap,
            looking=JobLooking(self.jobs),
            remembering=JobRemembering(self.jobs),
            reminding=self.personal.reminders,
            characters=self.personal.profiles.character,
        )
        self.gate = Gate(
            StoredTokens(store),
            settings.is_loopback,
            settings.hub_hosts,
            settings.hub_origins,
            settings.cors_origins,
            _signed(settings),
            settings.hub_rate_per_minute,
        )
        self.gpu = GpuWatch(Nvml(), settings.visible_gpus)
        self.draining = False
        self.registry.watch(self._agent_changed)
        self.sessions.watch_answers(self._answering)

    def _answering(self, robot: str, instances: tuple[str, ...]) -> None:
        self.holds.answering(robot, bool(instances))
        self.jobs.answering(robot, instances)

    def _agent_changed(self, agent: AgentInfo, up: bool) -> None:
        log.info(
            "agent ready" if up else "agent lost",
            agent=agent.instance,
            role=agent.role,
            backend=agent.backend,
        )
        if not up:
            self.jobs.peer_lost(agent.instance)
        if self.feed is not None and agent.kind is AgentKind.RECORDER:
            self.feed.recorder_changed(agent.instance, up)

    def _trace_of(self) -> TraceBatch:
        """What every batch of this run's trace says."""
        store = self.store
        return TraceBatch(
            boot=store.boot, hub_id=store.hub_id, version=_VERSION, words=self.tap.words
        )

    async def sample_depths(self) -> None:
        """Show the trace how full the queues are, and measure how late this loop is, for as long
        as the hub runs."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _DEPTHS_S
            await asyncio.sleep(_DEPTHS_S)
            self.measures.lag.add(max(0.0, loop.time() - due))
            self.tap.depths(self.bus.depths())
            self.tap.depths(self.sessions.depths())
            self.heap.look()

    async def finish_trace(self) -> None:
        """The last entry leaves, and has a moment to arrive."""
        self.tap.stopped()
        if self.feed is not None:
            self.feed.flush()
            await asyncio.sleep(_LAST_BATCH_S)

    def report(self) -> HubReport:
        """The hub at this moment, for people and for the documented health answer."""
        robots = tuple(r.robot for r in self.sessions.robots() if r.connected)
        counts = self.counters.read()
        return HubReport(
            agents=tuple(self.registry.agents()),
            robots=tuple(sorted(robots)),
            sessions=SessionNumbers(
                active=len(robots),
                registered=counts.get("robots_attached", 0),
                preempted=counts.get("robots_taken_over", 0),
                unregistered=counts.get("robots_detached", 0),
                stashed=self.sessions.stash.stashed,
                stash_hits=self.sessions.stash.hits,
                stash_expired=self.sessions.stash.expired,
            ),
            counters=self.bus.counters.mishaps(),
            draining=self.draining,
            degraded=read_degraded(self._data_dir),
            profiles_refused=dict(self.personal.profiles.errors),
            restarts=read_restarts(self._data_dir),
            measures=self.measures,
            jobs=self.jobs.numbers,
            long_work_held=self.holds.held,
            vram_total_gb=round(self.gpu.now.total_gb, 2) if self.gpu.now is not None else None,
            gpu_name=self.gpu.now.name if self.gpu.now is not None else "",
            violations=self.monitor.counts,
            vram_free_gb=round(self.gpu.now.free_gb, 2) if self.gpu.now is not None else None,
        )

    def publish_clock(self, robot: str, epoch: int, reading: Reading) -> None:
        """Tell observers what the edge has found out of a robot's clock."""
        measured = ClockMeasured(
            offset_ns=reading.offset_ns,
            error_ns=reading.error_ns,
            rtt_ns=reading.rtt_ns,
            drift_ppm=DRIFT_PPM,
        )
        self.bus.publish(Envelope(robot=robot, epoch=epoch, t_src_ns=reading.at_ns, body=measured))

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
            await self.sessions.expire_history()
            await asyncio.sleep(_EXPIRY_S)


async def run(settings: Settings, stop: asyncio.Event, logs: LogRing | None = None) -> None:
    """Run the hub until ``stop`` is set. ``logs`` is what it has logged so far, and will.

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
            services = _edge(hub, settings, logs or LogRing())
            recent = hub.observatory.recent
            mcp = McpDoor(services, hub.sessions, recent, settings.may_look)
            app = build_app(services, mcp if settings.hub_mcp else None)
            listeners = [("", bind(settings.server_host, settings.server_port))]
            listeners += [(each.base, bind(each.host, each.port)) for each in settings.listens]
            await stack.enter_async_context(hub.bus)
            await hub.sessions.recover()
            await hub.personal.profiles.look()
            personal = tasks.create_task(hub.personal.keep(hub.sessions))
            expiry = tasks.create_task(hub.expire_history())
            depths = tasks.create_task(hub.sample_depths())
            gpu = tasks.create_task(hub.gpu.keep())
            tools = tasks.create_task(mcp.run())
            tls, counters = _tls(settings), hub.counters
            for root, listener in listeners:
                serving = serve(app, listener, served, tls=tls, counters=counters, root=root)
                tasks.create_task(serving)
                log.info("listening", address=listener.getsockname()[:2], root=root or "/")
            here = announcement_of(store.hub_id, settings, listeners[0][1])
            await stack.enter_async_context(announcing(here, settings.hub_announce))
            if settings.orpheus_allowed and not settings.orpheus_policy.allowed:
                log.warning("orpheus disabled", reason=settings.orpheus_policy.reason)
            if settings.hub_bench:
                log.warning("bench mode: engines are scripted and hear marks instead of voices")
            hub.heap.settle()
            await stop.wait()
            await hub.finish_turns(settings.hub_drain_s)
            await hub.finish_trace()
            for keeper in (expiry, depths, gpu, tools, personal):
                keeper.cancel()
            hub.holds.close()
            served.set()


def _policy(settings: Settings) -> Policy:
    return Policy(
        planner_deadline_ms=settings.hub_planner_deadline_ms,
        filler_ms=settings.hub_filler_ms,
        guard=settings.hub_guard,
        attention=Attention(settings.hub_attention),
        follow_up_ms=settings.hub_follow_up_ms,
    )


def _limits(settings: Settings) -> JobLimits:
    return JobLimits(
        plan_max_inflight=settings.plan_max_inflight,
        llm_max_inflight=settings.llm_max_inflight,
        tts_busy_queue_threshold=settings.tts_busy_queue_threshold,
        plan_falls_back=settings.plan_fallback == "reflex",
    )


def _signed(settings: Settings) -> SignedTokens | None:
    if not settings.takes_jwt:
        return None
    from hub.edge.signed import verifier_of

    return verifier_of(settings)


def _tls(settings: Settings) -> Tls | None:
    if settings.hub_tls_cert is None or settings.hub_tls_key is None:
        return None
    return Tls(settings.hub_tls_cert, settings.hub_tls_key)


def _edge(hub: Hub, settings: Settings, logs: LogRing) -> EdgeServices:
    return EdgeServices(
        sessions=hub.sessions,
        jobs=hub.jobs,
        gate=hub.gate,
        health=hub.report,
        held=lambda: hub.holds.held,
        is_draining=lambda: hub.draining,
        linked=hub.registry.agents,
        facts=facts_of(settings, hub.store.hub_id, _VERSION),
        counters=hub.counters,
        allowed_actions=hub.sessions.capabilities,
        is_quiet=hub.sessions.is_quiet,
        reminders=hub.personal.reminders,
        minds=RobotMinds(hub.jobs, hub.sessions),
        clocks=Clocks(hub.publish_clock),
        observatory=hub.observatory.showing(hub.sessions, settings.may_look),
        logs=logs,
        traces=TraceFolder(settings.trace_dir),
    )


async def _until_signalled(settings: Settings, logs: LogRing) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        """The first signal lets turns end; from then on signals do what they do to any process."""
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        if stop.is_set():  # it came together with the first
            signal.raise_signal(number)
        stop.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    await run(settings, stop, logs)


def main() -> int:
    """Run the hub of this process's settings until it is told to stop; return the exit code."""
    try:
        settings = load()
        logs = LogRing()
        configure_logs(settings.hub_log_level, json=settings.hub_log_json, kept=logs)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_until_signalled(settings, logs))
    except (SettingsError, StartRefused, StoreFailed, BusError) as error:
        return _refuse(error)
    except BaseExceptionGroup as group:
        refusals, _ = group.split((StartRefused, StoreFailed, BusError))
        if refusals is None:
            raise
        return _refuse(refusals)
    return 0


def _refuse(error: BaseException) -> int:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    sys.stderr.write(f"{error}\n")
    return EXIT_TRY_AGAIN if isinstance(error, DiskFull | StoreFailed) else EXIT_REFUSED


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop
