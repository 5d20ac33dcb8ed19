"""``robot-hub trace``: a recorded turn as a timeline."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hub.trace.file import read
from hub.trace.timeline import Lane, Moment, Timeline, timelines
from protocols.errors import HubError


class NoSuchTurn(HubError):
    """The trace has no turn of that robot and number."""

    code = "no_such_turn"


def show_trace(file: Path, robot: str | None, turn: int | None, console: Console) -> None:
    """Print the turns of a trace, of one robot or of all.

    Raises:
        UnreadableTrace: the file is no trace.
        NoSuchTurn: it has no such turn.
    """
    shown = False
    for timeline in timelines(read(file), robot, turn):
        shown = True
        console.print(_table(timeline))
        console.print(_waterfall(timeline), highlight=False)
        console.print()
    if not shown:
        which = f" {turn}" if turn is not None else ""
        whose = f" of robot {robot}" if robot is not None else ""
        raise NoSuchTurn(f"{file} has no turn{which}{whose}")


def _table(timeline: Timeline) -> Table:
    ended = f"ended as {timeline.outcome}" if timeline.outcome else "never ended"
    title = f"robot {timeline.robot}, turn {timeline.turn}: {ended}"
    table = Table("ms", *Lane, title=title, title_justify="left", header_style="bold")
    table.columns[0].justify = "right"
    for moment in timeline.moments:
        table.add_row(f"{moment.ms:.1f}", *_cells(moment))
    return table


def _cells(moment: Moment) -> list[str]:
    times = f" ×{moment.times}" if moment.times > 1 else ""
    return [escape(moment.what) + times if lane is moment.lane else "" for lane in Lane]


def _waterfall(timeline: Timeline) -> str:
    """The segments of the latency, and what they add up to."""
    if not timeline.segments:
        return f"played {timeline.played_ms} ms"
    steps = ", ".join(f"{escape(s.name)} {s.ms:.1f}" for s in timeline.segments)
    total = sum(segment.ms for segment in timeline.segments)
    return f"waterfall: {steps} = {total:.1f} ms; played {timeline.played_ms} ms"
