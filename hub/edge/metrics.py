"""``GET /metrics`` in Prometheus' format, made from the same report as ``/status``."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from hub.edge.services import EdgeServices, HubReport
from protocols.messages.agent import AgentState


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
        ready = GaugeMetricFamily("hub_agent_ready", "1 if it takes work.", labels=_AGENT)
        active = GaugeMetricFamily("hub_agent_active", "Scopes it serves now.", labels=_AGENT)
        for agent in report.agents:
            labels = [agent.kind.value, agent.role, agent.backend]
            ready.add_metric(labels, float(agent.state is AgentState.READY))
            active.add_metric(labels, agent.active)
        yield ready
        yield active
        events = CounterMetricFamily(
            "hub_events", "What did not go as it should, by name.", labels=["name"]
        )
        for name, value in sorted({**report.counters, **edge}.items()):
            events.add_metric([name], value)
        yield events
        broken = CounterMetricFamily(
            "robot_hub_invariant_violations",
            "Promises of the design that were seen broken.",
            labels=["invariant"],
        )
        for name, value in sorted(report.violations.items()):
            broken.add_metric([name], value)
        yield broken


_AGENT = ["kind", "role", "backend"]


def registry_of(services: EdgeServices) -> CollectorRegistry:
    """A registry of this hub alone."""
    registry = CollectorRegistry()
    registry.register(HubCollector(lambda: (services.health(), dict(services.counters.read()))))
    return registry
