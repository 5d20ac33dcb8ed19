"""A run of a fleet as people see it: a line while it runs, tables at the end."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from robot_sim.load.result import LoadResult
from robot_sim.load.run import Progress

WIDTH_OF_LOGS = 120
_LINE_EVERY_S = 5.0
_FAULTS_SHOWN = 10


class ProgressLine:
    """One line that changes on a terminal, a line every 5 s elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, transient=True) if sys.stdout.isatty() else None
        self._next_s = 0.0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, progress: Progress) -> None:
        """Show how far the run is."""
        line = described(progress)
        if self._live is not None:
            self._live.update(Text(line))
        elif progress.at_s >= self._next_s:
            self._next_s = progress.at_s + _LINE_EVERY_S
            self._console.print(line, markup=False)


def described(progress: Progress) -> str:
    """The run so far, in one line."""
    fleet = progress.fleet
    counts = fleet.tally.counts
    breaches = sum(n for name, n in counts.items() if name.startswith("breach."))
    return (
        f"{progress.at_s:5.0f} of {progress.seconds:.0f} s: {fleet.linked} of {len(fleet.robots)}"
        f" robots linked, {counts['answered']} of {counts['asked']} questions answered,"
        f" {counts['barges'] + counts['cancels']} interruptions, {counts['underruns']} underruns,"
        f" {breaches} broken rules"
    )


def show(result: LoadResult, console: Console) -> None:
    """Print everything that was measured, and the verdict."""
    console.print(_times(result))
    console.print(_counts(result))
    if result.memory:
        console.print(_processes(result))
        console.print(
            f"CPU of the hub: {result.cores:.2f} cores, {result.cpu_ms_per_robot:.1f} ms per robot"
            f" and second, {result.robots_per_core:.0f} robots per core. Memory of the hub:"
            f" {result.memory[-1].total_mib:.0f} MiB, {result.memory_growth_mib():+.1f} MiB during"
            f" the run."
        )
    console.print(f"This client was late by {result.late_ms:.1f} ms at most.")
    faults = result.faults
    for fault in faults[:_FAULTS_SHOWN]:
        console.print(fault, style="red", markup=False)
    if len(faults) > _FAULTS_SHOWN:
        console.print(f"… and {len(faults) - _FAULTS_SHOWN} more", style="red")
    if not faults:
        console.print(f"{result.robots} of {result.robots} robots converse at the end.")


def _times(result: LoadResult) -> Table:
    table = Table("milliseconds", title=f"{result.robots} robots, {result.seconds:.0f} s")
    for heading in ("times", "p50", "p95", "p99", "max"):
        table.add_column(heading, justify="right")
    for name, times in result.spreads().items():
        figures = (f"{value:.2f}" for value in times[1:])
        table.add_row(
            name.replace("_", " ").replace("segment.", "· "), str(times.samples), *figures
        )
    return table


def _counts(result: LoadResult) -> Table:
    table = Table("counted", "what", "times")
    table.columns[2].justify = "right"
    groups = (
        ("at the robots", result.tally.counts),
        ("ends of turns", result.tally.outcomes),
        ("closed connections", {str(code): n for code, n in result.tally.closes.items()}),
        ("in the hub", result.events),
    )
    for group, counts in groups:
        for name, times in sorted(counts.items()):
            table.add_row(group, name, str(times))
            group = ""
    return table


def _processes(result: LoadResult) -> Table:
    table = Table("process")
    for heading in ("CPU s", "PSS MiB at start", "at end"):
        table.add_column(heading, justify="right")
    first, last = result.memory[0].mib, result.memory[-1].mib
    for name in last:
        table.add_row(
            name,
            f"{result.cpu_s.get(name, 0.0):.2f}",
            f"{first.get(name, 0.0):.1f}",
            f"{last[name]:.1f}",
        )
    return table
