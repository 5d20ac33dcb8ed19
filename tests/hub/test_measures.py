"""Histograms of turns and of the loop, and what Prometheus makes of them."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from hub.edge.metrics import MOST_NAMES, HubCollector, bounded
from hub.edge.services import HubReport
from hub.measures import LAG_BOUNDS_S, MOST_KINDS, Histogram, Measures, lateness
from hub.registry import AgentInfo
from hub.starts import StartCounts, read_restarts
from hub.trace.entries import Fact
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.turn import Outcome, Segment, TurnEnded


def ended(*segments: Segment, outcome: Outcome = Outcome.DONE) -> Fact:
    body = TurnEnded(outcome=outcome, segments=segments)
    return Fact(n=1, t_ns=0, topic="turn.ended", body=body)


def scraped(report: HubReport) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by name and labels, as a Prometheus server reads them."""
    registry = CollectorRegistry()
    registry.register(HubCollector(lambda: (report, {})))
    samples = [
        sample
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    ]
    found = {(s.name, frozenset(s.labels.items())): s.value for s in samples}
    assert len(found) == len(samples), "a sample stands twice: Prometheus refuses the whole answer"
    return found


def sample(report: HubReport, metric: str, /, **labels: str) -> float:
    return scraped(report)[metric, frozenset(labels.items())]


def test_a_histogram_counts_cumulatively_and_includes_its_bounds() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.add(value)

    assert histogram.buckets() == [("1.0", 2.0), ("2.0", 3.0), ("+Inf", 4.0)]
    assert (histogram.count, histogram.sum, histogram.worst) == (4, 12.0, 9.0)


@pytest.mark.parametrize(("share", "bound"), [(0.25, 1.0), (0.5, 1.0), (0.75, 2.0), (1.0, 9.0)])
def test_a_quantile_is_the_bound_above_it_or_the_largest_value(share: float, bound: float) -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.add(value)

    assert histogram.quantile(share) == bound


def test_a_loop_that_was_never_measured_is_not_late() -> None:
    assert lateness(Histogram(LAG_BOUNDS_S)) == (0.0, 0.0)


def test_the_segments_of_turns_are_a_histogram_each() -> None:
    measures = Measures()
    measures.take(ended(Segment("transcript", 40.0), Segment("first_token", 300.0)))
    measures.take(ended(Segment("transcript", 60.0), outcome=Outcome.INTERRUPTED))
    report = HubReport(measures=measures)

    name = "hub_turn_segment_seconds"
    assert sample(report, f"{name}_count", segment="transcript") == 2
    assert sample(report, f"{name}_bucket", segment="transcript", le="0.05") == 1
    assert sample(report, f"{name}_sum", segment="first_token") == pytest.approx(0.3)
    assert sample(report, "hub_turns_total", outcome="interrupted") == 1


def test_names_beyond_the_bound_are_one() -> None:
    measures = Measures()
    for number in range(MOST_KINDS + 5):
        measures.take(ended(Segment(f"segment-{number}", 1.0)))

    assert len(measures.segments) == MOST_KINDS + 1
    assert measures.segments["other"].count == 5

    counts = bounded({f"{number:03}": 1 for number in range(MOST_NAMES + 7)})
    assert (len(counts), counts["other"]) == (MOST_NAMES + 1, 7)


def test_what_agents_dropped_is_shown_and_two_agents_alike_are_one_sample() -> None:
    agents = tuple(
        AgentInfo(
            f"stt-primary-{pid}", AgentKind.STT, "primary", "scripted", state,
            active=1, lag_ms=lag_ms, drops={"lost.mic.chunk": 3},
        )
        for pid, state, lag_ms in ((1, AgentState.READY, 2.0), (2, AgentState.LOADING, 5.0))
    )  # fmt: skip
    report = HubReport(agents=agents)

    alike = {"kind": "stt", "role": "primary", "backend": "scripted"}
    assert sample(report, "hub_agent_ready", **alike) == 1
    assert sample(report, "hub_agent_active", **alike) == 2
    assert sample(report, "hub_agent_lag_seconds", **alike) == pytest.approx(0.005)
    drops = {"kind": "stt", "role": "primary", "name": "lost.mic.chunk"}
    assert sample(report, "hub_agent_drops_total", **drops) == 6


def test_what_the_bus_lost_is_summed_by_class_of_service() -> None:
    counters = {
        "bus_lost.mic.chunk": 2,
        "bus_lost.utterance.chunk": 1,
        "bus_dropped.speech.chunk": 4,
        "bus_lost.no.topic": 9,
        "bus_duplicates": 5,
    }
    report = HubReport(counters=counters)

    assert sample(report, "hub_bus_drops_total", qos="mic", how="lost") == 3
    assert sample(report, "hub_bus_drops_total", qos="speech", how="dropped") == 4
    assert sum(v for (name, _), v in scraped(report).items() if name == "hub_bus_drops_total") == 7


def test_memory_of_a_gpu_is_shown_where_it_can_be_measured() -> None:
    report = HubReport(vram_free_gb=2.0, vram_total_gb=8.0)

    assert sample(report, "hub_gpu_memory_free_bytes") == 2 << 30
    assert sample(report, "hub_gpu_memory_total_bytes") == 8 << 30
    assert "hub_gpu_memory_free_bytes" not in {name for name, _ in scraped(HubReport())}


def test_restarts_are_what_was_started_beyond_the_first_time(tmp_path: Path) -> None:
    starts = StartCounts(tmp_path)
    for name in ("hub", "stt", "hub", "hub"):
        starts.count(name)

    assert read_restarts(tmp_path) == {"hub": 2, "stt": 0}
    assert (
        sample(HubReport(restarts=read_restarts(tmp_path)), "hub_restarts_total", process="hub")
        == 2
    )
    starts.clear()
    assert read_restarts(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"hub": "x"}', "3"])
def test_counts_that_cannot_be_read_are_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "starts.json").write_text(text)

    assert read_restarts(tmp_path) == {}
