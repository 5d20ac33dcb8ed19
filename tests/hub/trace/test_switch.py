"""What switches traces on, and where broken invariants and recording can be seen."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from hub.commands.run import agents_to_start
from hub.edge.health import status
from hub.edge.metrics import HubCollector
from hub.edge.services import EdgeFacts, HubReport
from hub.settings import Settings
from hub.trace.alarm import QUIET_NS, Alarm
from hub.trace.monitor import Violation


def settings(tmp_path: Path, **given: object) -> Settings:
    return Settings(hub_data_dir=tmp_path, hub_bus_dir=Path("/tmp/b"), **given)  # type: ignore[arg-type]


def test_traces_and_recording_are_off_unless_switched_on(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    assert chosen.trace_dir is None
    assert not chosen.hub_record
    assert "recorder" not in agents_to_start(chosen)
    assert "RECORDER_DIR" not in chosen.child_environment()


@pytest.mark.parametrize("yes", ["1", "on", "True"])
def test_a_trace_goes_to_the_data_directory_and_brings_its_recorder(
    tmp_path: Path, yes: str
) -> None:
    chosen = settings(tmp_path, hub_trace=yes)
    assert chosen.trace_dir == tmp_path / "traces"
    assert agents_to_start(chosen).count("recorder") == 1
    assert chosen.child_environment()["RECORDER_DIR"] == str(tmp_path / "traces")


def test_a_trace_goes_where_it_is_told_to(tmp_path: Path) -> None:
    assert settings(tmp_path, hub_trace="/var/traces").trace_dir == Path("/var/traces")
    assert settings(tmp_path, hub_trace="off").trace_dir is None


def test_a_recorder_that_was_asked_for_is_started_once(tmp_path: Path) -> None:
    chosen = settings(tmp_path, hub_trace="1", hub_agents=("ears", "recorder"))
    assert agents_to_start(chosen) == ("ears", "recorder")


def test_metrics_count_broken_invariants_by_name() -> None:
    report = HubReport(violations={"I1": 2, "I7": 0})
    registry = CollectorRegistry()
    registry.register(HubCollector(lambda: (report, {})))
    said = generate_latest(registry).decode()
    assert 'robot_hub_invariant_violations_total{invariant="I1"} 2.0' in said
    assert 'robot_hub_invariant_violations_total{invariant="I7"} 0.0' in said


def test_status_says_that_the_hub_records_and_what_is_broken() -> None:
    report = HubReport(violations={"I1": 2})
    document = status(report, EdgeFacts(tracing=True, recording=True), {}, {}, 0)
    assert (document["tracing"], document["recording"]) == (True, True)
    assert document["violations"] == {"I1": 2}


def test_the_log_names_each_broken_invariant_once_in_a_while() -> None:
    now = 0
    alarm = Alarm(lambda: now)
    with capture_logs() as logs:
        for name in ("I1", "I1", "I7", "I1"):
            alarm.tell(Violation(name, "r1", "seen", ("a", "b")))
        now = QUIET_NS
        alarm.tell(Violation("I1", "r1", "seen again"))
    assert [line["invariant"] for line in logs] == ["I1", "I7", "I1"]
    assert logs[0]["chain"] == ["a", "b"]
