"""The end of the hub's log in memory: bounded, and without words."""

import traceback

import pytest
import structlog

from hub.log_ring import MOST_CHARS, LogRing


def test_only_the_last_lines_are_kept_under_their_own_numbers() -> None:
    ring = LogRing(most=3)
    for n in range(1, 6):
        ring(None, "info", {"event": f"line {n}"})
    assert [(line.n, line.event) for line in ring.after(0, 10)] == [
        (3, "line 3"), (4, "line 4"), (5, "line 5"),
    ]  # fmt: skip
    assert [line.n for line in ring.after(4, 10)] == [5]
    assert [line.n for line in ring.after(0, 1)] == [5]
    assert ring.after(0, 0) == []


def test_words_are_not_kept_and_the_line_itself_stays_as_it_is() -> None:
    ring = LogRing()
    said = {
        "event": "turn", "level": "warning", "timestamp": "t", "text": "my name is Mia",
        "exception": "Traceback (most recent call last)\nValueError: my name is Mia",
        "robots": ["r1"], "count": 2, "long": "x" * 1_000,
    }  # fmt: skip
    assert ring(None, "warning", dict(said)) == said
    (line,) = ring.after(0, 10)
    assert "Mia" not in str(line)
    assert (line.level, line.at, line.keys["failure"]) == ("warning", "t", "ValueError")
    assert (line.keys["count"], line.keys["robots"]) == (2, "['r1']")
    assert len(str(line.keys["long"])) == MOST_CHARS


@pytest.mark.parametrize(
    "raised",
    [
        ValueError("not well:\nmy name is Mia"),
        ExceptionGroup("both", [OSError("a disk"), ValueError("not well:\nmy name is Mia")]),
    ],
)
def test_of_an_exception_only_its_kind_is_kept_however_long_its_text(raised: Exception) -> None:
    ring = LogRing()
    lines = traceback.format_exception(_thrown(raised))
    ring(None, "error", {"event": "failed", "exception": "".join(lines).rstrip()})
    (line,) = ring.after(0, 10)
    assert line.keys == {
        "failure": "ValueError" if type(raised) is ValueError else "ExceptionGroup"
    }


def _thrown(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_requests_that_were_answered_push_nothing_else_out() -> None:
    ring = LogRing()
    for status in (200, 204, 304, 404, 500):
        ring(None, "info", {"event": "request", "status": status})
    assert [line.keys["status"] for line in ring.after(0, 10)] == [404, 500]


def test_it_is_a_processor_of_the_hub_s_own_log() -> None:
    ring = LogRing()
    log = structlog.wrap_logger(
        structlog.PrintLogger(), processors=[structlog.processors.add_log_level, ring,
                                             structlog.processors.JSONRenderer()],
    )  # fmt: skip
    log.info("agent ready", agent="tts-1")
    (line,) = ring.after(0, 10)
    assert (line.level, line.event, line.keys) == ("info", "agent ready", {"agent": "tts-1"})
