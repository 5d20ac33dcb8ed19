"""What a benchmark reports, and how a run of benchmarks is shown and kept."""

import json
import math
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

CALIBRATION_STEPS = 200_000
COMPARABLE = 1.3
"""Lines whose calibrations differ by more than this factor tell nothing about each other."""

WIDTH_OF_LOGS = 160
"""Of a report that goes to a file or a pipe: no name is cut."""

_VERDICTS = {True: "[green]reached[/]", False: "[red]missed[/]", None: ""}


class Row(NamedTuple):
    """One measured figure beside its peer's, which is None where there is none. ``ok`` is None
    where there is no verdict."""

    case: str
    metric: str
    ours: float
    peer: float | None
    unit: str
    goal: str
    ok: bool | None
    note: str

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's."""
        return self.ours / self.peer if self.peer else None


class Line(NamedTuple):
    """A row, and how fast the machine was while it was measured: milliseconds for the
    calibration loop, before and after whichever took longer."""

    row: Row
    calibration_ms: float


def calibrate() -> float:
    """Milliseconds that a fixed loop of plain Python takes now, median of three."""
    return statistics.median(_loop_ms() for _ in range(3))


def _loop_ms() -> float:
    started_ns = time.perf_counter_ns()
    value = 1
    for step in range(CALIBRATION_STEPS):
        value = (value * 31 + step) % 1_000_003
    return (time.perf_counter_ns() - started_ns) / 1e6


def show(lines: Sequence[Line], console: Console) -> None:
    """Print the lines as a table, and under it what was noted about each."""
    table = Table()
    for heading in ("case", "metric"):
        table.add_column(heading, overflow="fold")
    for heading in ("ours", "peer", "ratio"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("goal", "verdict"):
        table.add_column(heading, overflow="fold")
    table.add_column("calibration", justify="right", no_wrap=True)
    for row, calibration_ms in lines:
        table.add_row(
            row.case,
            row.metric,
            f"{row.ours:.4g} {row.unit}",
            "" if row.peer is None else f"{row.peer:.4g} {row.unit}",
            "" if row.ratio is None else f"{row.ratio:.2f} ×",
            row.goal,
            _VERDICTS[row.ok],
            f"{calibration_ms:.1f} ms",
        )
    console.print(table)
    for row, _ in lines:
        if row.note:
            console.print(Text(f"{row.case} · {row.metric}: {row.note}"), soft_wrap=True)
    slowest, fastest = _extremes(lines)
    if slowest > COMPARABLE * fastest:
        console.print(
            f"the machine's speed changed by {slowest / fastest:.2f} × during the run: compare"
            f" only lines whose calibrations agree within {COMPARABLE} ×"
        )


def write(lines: Sequence[Line], path: Path) -> None:
    """Keep the lines as JSON."""
    document = [
        {
            **{key: _finite(value) for key, value in row._asdict().items()},
            "ratio": row.ratio,
            "calibration_ms": calibration_ms,
        }
        for row, calibration_ms in lines
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _extremes(lines: Sequence[Line]) -> tuple[float, float]:
    times = [line.calibration_ms for line in lines] or [1.0]
    return max(times), min(times)
