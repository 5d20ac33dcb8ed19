"""What was heard, as rows with verdicts. Pure."""

from collections.abc import Sequence
from math import nan
from typing import NamedTuple

from benchmarks.gpu.conversation import Heard
from benchmarks.report import Row
from benchmarks.timing import quantile_ms

P50_GOALS_MS = {1: 500.0, 8: 800.0}
"""Voice to voice, by the number of robots that talk at the same time."""
ENDPOINTING = "from the exact end of speech: what ears wait to be sure of it comes on top"
IMAGES = (
    "images are drawn by a process of this bench, in place of the image agent, and without a pause:"
    " the agent is to hold between steps while a robot is answered"
)


class Round(NamedTuple):
    """So many robots talked, while images were drawn (steps a second) or not (None).
    ``failures`` is how often Orpheus failed and another voice spoke for it."""

    robots: int
    heard: Heard
    image_steps: float | None
    failures: int


def rows(rounds: Sequence[Round], memory_gib: float, *, judged: bool) -> list[Row]:
    """The report; where not ``judged``, times and gaps get no verdict."""
    told = [row for each in rounds for row in _round_rows(each, judged)]
    if memory_gib:
        told.append(_row("GPU", "memory in use at most", memory_gib, "GiB", "", None, ""))
    return told


def without_images(reason: str) -> Row:
    """The row for a part that was left out."""
    return _row("GPU speech, images drawn", "gaps", nan, "", "no gap", None, f"not run: {reason}")


def _round_rows(one: Round, judged: bool) -> list[Row]:
    drawn = one.image_steps is not None
    robots = f"{one.robots} robot{'s' if one.robots > 1 else ''}"
    case = f"GPU speech, {robots}{', images drawn' if drawn else ''}"
    fault = fault_of(one)
    turns = f"{len(one.heard.latencies_ns)} turns, client late by {one.heard.late_ns / 1e6:.1f} ms"
    note = "; ".join(part for part in (turns, fault, "" if drawn else ENDPOINTING) if part)
    p50, p99 = (quantile_ms(one.heard.latencies_ns, quantile) for quantile in (0.5, 0.99))
    goal = None if drawn else P50_GOALS_MS.get(one.robots)
    metric = "end of speech → first audio"
    spoken = f"in {one.heard.speech_s:.0f} s of speech"
    report = [
        _row(
            case,
            f"{metric} p50",
            p50,
            "ms",
            f"≤ {goal:g} ms" if goal else "",
            _verdict(p50 <= goal, fault, judged) if goal else None,
            note,
        ),
        _row(case, f"{metric} p99", p99, "ms", "", None, ""),
        _row(
            case,
            "gaps",
            float(one.heard.gaps),
            "",
            "no gap" if drawn else "",
            _verdict(one.heard.gaps == 0, fault, judged) if drawn else None,
            f"{spoken}; {fault}" if fault else spoken,
        ),
    ]
    if one.image_steps is not None:
        report.append(_row(case, "image steps", one.image_steps, "/s", "", None, IMAGES))
    return report


def fault_of(one: Round) -> str:
    """What makes the figures of a round mean something else; empty if nothing does."""
    heard, found = one.heard, []
    if not heard.latencies_ns:
        found.append("nobody was answered")
    if heard.unanswered:
        found.append(f"{heard.unanswered} answers did not end")
    if heard.faults:
        found.append(f"{len(heard.faults)} turns went wrong, first: {heard.faults[0]}")
    if one.failures:
        found.append(f"Orpheus failed {one.failures} times, and espeak-ng spoke for it")
    return ", ".join(found)


def _verdict(reached: bool, fault: str, judged: bool) -> bool | None:
    """A figure that does not mean what it says has missed its goal."""
    return (reached and not fault) if judged else None


def _row(
    case: str, metric: str, ours: float, unit: str, goal: str, ok: bool | None, note: str
) -> Row:
    return Row(case, metric, ours, None, unit, goal, ok, note)
