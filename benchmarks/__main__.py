"""``python -m benchmarks [CASE…]``: measure, show, keep; exit 1 if a goal was missed."""

import importlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.report import WIDTH_OF_LOGS, Line, Row, calibrate, show, write

CASES: Mapping[str, str] = {
    "bus": "benchmarks.bus:run",
    "turn": "benchmarks.turn:run",
    "cancel": "benchmarks.cancel:run",
    "memory": "benchmarks.memory:run",
    "growth": "benchmarks.growth:run",
    "pacing": "benchmarks.pacing:run",
    "gc": "benchmarks.collection:run",
    "recovery": "benchmarks.recovery:run",
    "barge": "benchmarks.barge:run",
    "face": "benchmarks.face:run",
    "endpoint": "benchmarks.endpoint:run",
    "retrieval": "benchmarks.retrieval:run",
    "beside": "benchmarks.beside:run",
    "dashboard": "benchmarks.dashboard:run",
}
RESULT = Path("build/bench.json")


def measure(case: str) -> list[Line]:
    """The lines of one case."""
    module, _, function = CASES[case].partition(":")
    run: Callable[[], list[Row]] = getattr(importlib.import_module(module), function)
    before_ms = calibrate()
    rows = run()
    return [Line(row, max(before_ms, calibrate())) for row in rows]


def main(arguments: Sequence[str]) -> int:
    """Run the cases that are named, or all; return the exit code."""
    errors = Console(stderr=True)
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_LOGS)
    unknown = sorted(set(arguments) - CASES.keys())
    if unknown:
        errors.print(f"there is no case {unknown[0]!r}; there are {', '.join(CASES)}")
        return 2
    lines: list[Line] = []
    for case in arguments or CASES:
        began_s = time.monotonic()
        with errors.status(f"measuring {case}"):
            lines += measure(case)
        write(lines, RESULT)  # what is measured is kept, whatever becomes of the rest
        errors.print(f"{case}: measured in {time.monotonic() - began_s:.0f} s", highlight=False)
    show(lines, console)
    console.print(f"written to {RESULT}")
    return 1 if any(line.row.ok is False for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
