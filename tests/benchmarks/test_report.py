"""What a run of benchmarks shows where nobody can widen the window."""

import io
import json
from pathlib import Path

from rich.console import Console

from benchmarks.report import WIDTH_OF_LOGS, Line, Row, show, write

LONG = Row(
    case="P13 kill -9 of the hub, 20 robots",
    metric="welcome → what was being said goes on, slowest",
    ours=1234.5,
    peer=1000.0,
    unit="ms",
    goal="≤ 1.2 × without cuts",
    ok=False,
    note="a note that is much longer than any column could be, " * 5,
)


def shown(*rows: Row) -> str:
    sink = io.StringIO()
    show([Line(row, 1.0) for row in rows], Console(file=sink, width=WIDTH_OF_LOGS))
    return sink.getvalue()


def test_a_report_in_a_file_cuts_no_name_and_no_note() -> None:
    text = shown(LONG)

    assert all(part in text for part in (LONG.case, LONG.metric, LONG.goal, LONG.note.strip()))
    assert "1.23 ×" in text
    assert "missed" in text


def test_every_line_is_kept_with_its_ratio(tmp_path: Path) -> None:
    write([Line(LONG, 1.0)], tmp_path / "build" / "bench.json")

    (line,) = json.loads((tmp_path / "build" / "bench.json").read_text())
    assert (line["case"], line["ratio"], line["ok"]) == (LONG.case, 1.2345, False)
