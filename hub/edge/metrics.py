"""``GET /metrics`` in Prometheus' format, made from the same report as ``/status``.

Labels hold what code names (kinds, roles, segments, topics), never what a client says: their number
is bounded.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from hub.edge.services import EdgeServices, HubReport
from hub.gpu import BYTES_PER_GIB
from hub.jobs.admission import AgentView
from hub.measures import Histogram
from protocols.messages.agent import AgentState
from protocols.topics import CATALOG

MOST_NAMES = 64
"""Names of drops that one kind of agent may have; what is beyond is one: ``other``."""

_AGENT = ["kind", "role", "backend"]
_JOB_END = ["class", "end"]


class HubCollector(Collector):
    """Reads the hub when it is scraped; nothing is kept."""

    def __init__(self, read: Callable[[], tuple[HubReport, dict[str, int]]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        report, edge = self._read()
        yield GaugeMetricFamily("hub_robots", "Robots connected now.", value=len(report.robots))
        for name, text in (("registered", "begun"), ("preempted", "taken over")):
            yield CounterMetricFamily(
                f"hub_sessions_{name}", f"Sessions {text}.", value=getattr(report.sessions, name)
            )
        yield from _agents(report)
        yield from _turns(report)
        yield from _jobs(report)
        lag = {"": report.measures.lag}
        yield _histogram("hub_loop_lag_seconds", "How late the hub's loop came.", lag)
        yield _counter("hub_restarts", "Processes started again.", "process", report.restarts)
        yield from _gpu(report)
        yield _dropped(report.counters)
        yield _counter(
            "hub_events",
            "What did not go as it should, by name.",
            "name",
            {**report.counters, **edge},
        )
        yield _counter(
            "robot_hub_invariant_violations",
            "Promises of the design that were seen broken.",
            "invariant",
            report.violations,
        )


def registry_of(services: EdgeServices) -> CollectorRegistry:
    """A registry of this hub alone: what it does, and what its process takes."""
    registry = CollectorRegistry()
    registry.register(HubCollector(lambda: (services.health(), dict(services.counters.read()))))
    ProcessCollector(registry=registry)
    return registry


class _Alone(Collector):
    """One family, to be written by itself."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        return (self._family,)


async def exposition(registry: CollectorRegistry) -> bytes:
    """What ``registry`` has, as Prometheus reads it. To write all of it takes 2 ms: between two
    families robots have a turn of the loop."""
    written = []
    for family in registry.collect():
        written.append(generate_latest(_Alone(family)))
        await asyncio.sleep(0)
    return b"".join(written)


def _agents(report: HubReport) -> Iterable[Metric]:
    ready = GaugeMetricFamily("hub_agent_ready", "How many take work.", labels=_AGENT)
    active = GaugeMetricFamily("hub_agent_active", "Scopes they serve now.", labels=_AGENT)
    lag = GaugeMetricFamily("hub_agent_lag_seconds", "How late the latest loop.", labels=_AGENT)
    dropped = CounterMetricFamily(
        "hub_agent_drops", "What agents threw away or missed.", labels=["kind", "role", "name"]
    )
    alike: dict[tuple[str, str, str], list[AgentView]] = {}
    drops: dict[tuple[str, str], Counter[str]] = {}
    for agent in report.agents:
        kind = agent.kind.value
        alike.setdefault((kind, agent.role, agent.backend), []).append(agent)
        drops.setdefault((kind, agent.role), Counter()).update(agent.drops)
    for labels, agents in sorted(alike.items()):
        ready.add_metric(labels, sum(a.state is AgentState.READY for a in agents))
        active.add_metric(labels, sum(a.active for a in agents))
        lag.add_metric(labels, max(a.lag_ms for a in agents) / 1_000)
    for (kind, role), counts in sorted(drops.items()):
        for name, value in bounded(counts).items():
            dropped.add_metric([kind, role, name], value)
    yield from (ready, active, lag, dropped)


def _turns(report: HubReport) -> Iterable[Metric]:
    measures = report.measures
    yield _histogram(
        "hub_turn_segment_seconds", "Where the time of turns went.", measures.segments, "segment"
    )
    yield _counter("hub_turns", "Turns that ended, by how.", "outcome", measures.outcomes)


def _jobs(report: HubReport) -> Iterable[Metric]:
    jobs = report.jobs
    depth = GaugeMetricFamily("hub_jobs", "Jobs now, by class.", labels=["class", "state"])
    for state, counts in (("queued", jobs.queued), ("running", jobs.running)):
        for job_class, count in counts.items():
            depth.add_metric([job_class.name.lower(), state], count)
    ended = CounterMetricFamily("hub_jobs_ended", "Jobs, by how they ended.", labels=_JOB_END)
    for (job_class, end), count in sorted(jobs.ended.items()):
        ended.add_metric([job_class.name.lower(), end.value], count)
    waits = {job_class.name.lower(): waited for job_class, waited in jobs.waits.items()}
    yield from (depth, ended)
    yield _histogram("hub_job_wait_seconds", "How long jobs waited.", waits, "class")
    yield CounterMetricFamily(
        "hub_jobs_requeued", "Times that a job lost its place.", value=jobs.requeued
    )
    yield GaugeMetricFamily(
        "hub_long_work_held", "1 while long jobs hold.", value=float(report.long_work_held)
    )


def _gpu(report: HubReport) -> Iterable[Metric]:
    for name, text, gib in (
        ("free", "free", report.vram_free_gb),
        ("total", "there", report.vram_total_gb),
    ):
        if gib is not None:
            yield GaugeMetricFamily(
                f"hub_gpu_memory_{name}_bytes",
                f"Memory of the engines' GPU that is {text}.",
                value=gib * BYTES_PER_GIB,
            )


def _dropped(counters: Mapping[str, int]) -> Metric:
    """What the bus lost at its bounds or on the way, by class of service."""
    found: Counter[tuple[str, str]] = Counter()
    for name, value in counters.items():
        how, _, topic = name.partition(".")
        if how in ("bus_lost", "bus_dropped") and topic in CATALOG:
            found[CATALOG[topic].qos.value, how.removeprefix("bus_")] += value
    family = CounterMetricFamily(
        "hub_bus_drops", "Messages lost, by class of service.", labels=["qos", "how"]
    )
    for labels, value in sorted(found.items()):
        family.add_metric(labels, value)
    return family


def bounded(counts: Mapping[str, int]) -> dict[str, int]:
    """``counts`` under at most ``MOST_NAMES`` names and ``other``, in the order of their names."""
    names = sorted(counts)
    kept = {name: counts[name] for name in names[:MOST_NAMES]}
    rest = sum(counts[name] for name in names[MOST_NAMES:])
    return {**kept, "other": rest} if rest else kept


def _counter(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def _histogram(name: str, text: str, found: Mapping[str, Histogram], label: str = "") -> Metric:
    """Without a ``label`` there is but one histogram."""
    family = HistogramMetricFamily(name, text, labels=[label] if label else [])
    for value, histogram in sorted(found.items()):
        family.add_metric([value] if label else [], histogram.buckets(), histogram.sum)
    return family
