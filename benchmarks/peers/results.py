"""Figures of a run against the peers, and what they say about the goals."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.peers.client import Sample
from benchmarks.timing import quantile_ms

LEANEST_RATIO, DEFAULTS_RATIO, LIVEKIT_RATIO = 4.0, 7.0, 1.0
LATENCY_RATIO = 0.6
P4_ROBOTS = 100
P2_ROBOTS = 10
"""Where the latencies of all of them are still those of an idle machine."""
_WORDS = {True: "[green]reached[/]", False: "[red]missed[/]", None: "not measured"}


class Side(NamedTuple):
    """What is measured: a ``peer``'s server as ``variant``, or the hub (no peer)."""

    name: str
    peer: str = ""
    variant: str = ""


HUB = Side("Robot Hub")
LEANEST = Side("Pipecat, leanest", "pipecat", "leanest")
DEFAULTS = Side("Pipecat, defaults", "pipecat", "defaults")
LIVEKIT = Side("LiveKit Agents, leanest", "livekit", "leanest")
DIRECT = Side("Pipecat, no queues", "pipecat", "direct")
"""Printed beside the others on request, without a verdict: only instant engines can run so."""
SIDES = (HUB, LEANEST, DEFAULTS, LIVEKIT)

Round = tuple[Sample, float, float]
Measured = dict[tuple[Side, int], list[Round]]


class Figures(NamedTuple):
    """One side at one size. ``answered`` and ``cut`` are shares of what was asked for: below 1
    the side was saturated, and its robots per core say nothing."""

    per_core: float
    answer_p50_ms: float
    answer_p99_ms: float
    notice_p50_ms: float
    notice_p99_ms: float
    mib_per_robot: float
    answered: float
    cut: float
    stale: int
    client_late_ms: float


class Verdict(NamedTuple):
    """A goal in words, the ratio that was found (NaN where a side is not there), and whether
    that reaches it."""

    goal: str
    ratio: float
    ok: bool | None


Found = Mapping[tuple[Side, int], Figures]


def figures(measured: Measured) -> dict[tuple[Side, int], Figures]:
    """Medians over rounds, quantiles over all of their turns."""
    return {key: _figures(key[1], rounds) for key, rounds in measured.items()}


def _figures(robots: int, rounds: Sequence[Round]) -> Figures:
    samples = [sample for sample, _, _ in rounds]
    answers = [ns for sample in samples for ns in sample.answers_ns]
    notices = [ns for sample in samples for ns in sample.notices_ns]
    asked, cuts = sum(s.asked for s in samples), sum(s.cuts for s in samples)
    busy = statistics.median(cores for _, cores, _ in rounds)
    return Figures(
        robots / busy if busy else math.nan,
        quantile_ms(answers, 0.5), quantile_ms(answers, 0.99),
        quantile_ms(notices, 0.5), quantile_ms(notices, 0.99),
        rounds[0][2],
        len(answers) / asked if asked else math.nan,
        len(notices) / cuts if cuts else math.nan,
        sum(s.stale for s in samples),
        max(s.late_ns for s in samples) / 1e6,
    )  # fmt: skip


def verdicts(found: Found) -> list[Verdict]:
    """P4 and P2's ratio, as far as their sizes were measured."""
    ours = found.get((HUB, P4_ROBOTS))
    best = max((f.per_core for (side, _), f in found.items() if side == LEANEST), default=math.nan)
    return [
        _at_least(f"P4: ≥ {LEANEST_RATIO:g} × Pipecat's leanest at its best", ours, best, LEANEST_RATIO),
        *(
            _at_least(f"P4: ≥ {ratio:g} × {side.name}, {P4_ROBOTS} robots", ours, _per_core(found, side), ratio)
            for side, ratio in ((DEFAULTS, DEFAULTS_RATIO), (LIVEKIT, LIVEKIT_RATIO))
        ),
        _latency(found),
    ]  # fmt: skip


def _per_core(found: Found, side: Side) -> float:
    there = found.get((side, P4_ROBOTS))
    return there.per_core if there else math.nan


def _at_least(goal: str, ours: Figures | None, theirs: float, limit: float) -> Verdict:
    ratio = ours.per_core / theirs if ours else math.nan
    return Verdict(goal, ratio, None if math.isnan(ratio) else ratio >= limit)


def _latency(found: Found) -> Verdict:
    goal = f"P2: first audio p50 ≤ {LATENCY_RATIO:g} × Pipecat's leanest, {P2_ROBOTS} robots"
    ours, theirs = found.get((HUB, P2_ROBOTS)), found.get((LEANEST, P2_ROBOTS))
    if not ours or not theirs:
        return Verdict(goal, math.nan, None)
    ratio = ours.answer_p50_ms / theirs.answer_p50_ms
    return Verdict(goal, ratio, None if math.isnan(ratio) else ratio <= LATENCY_RATIO)


def show(
    found: Found, judged: Sequence[Verdict], calibration_ms: tuple[float, float], console: Console
) -> None:
    """Print both as tables."""
    table = Table(box=None, caption="first audio and cut notice: p50/p99 in ms; MiB: per robot")
    for heading in (
        "", "robots", "/core", "audio", "notice", "MiB", "answered", "cut", "stale", "client late",
    ):  # fmt: skip
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for (side, robots), one in found.items():
        table.add_row(
            side.name, str(robots), f"{one.per_core:.0f}",
            f"{one.answer_p50_ms:.1f}/{one.answer_p99_ms:.1f}",
            f"{one.notice_p50_ms:.1f}/{one.notice_p99_ms:.1f}",
            f"{one.mib_per_robot:.2f}", f"{one.answered:.0%}", f"{one.cut:.0%}", str(one.stale),
            f"{one.client_late_ms:.0f}",
        )  # fmt: skip
    console.print(table)
    for verdict in judged:
        console.print(
            f"{verdict.goal}: {verdict.ratio:.2f} ×, {_WORDS[verdict.ok]}", highlight=False
        )
    before, after = calibration_ms
    console.print(f"calibration {before:.1f} ms before, {after:.1f} ms after", highlight=False)


def keep(
    found: Found, judged: Sequence[Verdict], calibration_ms: tuple[float, float], path: Path
) -> None:
    """Write both as JSON; what is not a number becomes null."""
    document = {
        "figures": [
            {"side": side.name, "robots": robots, **_finite(one._asdict())}
            for (side, robots), one in found.items()
        ],
        "verdicts": [_finite(verdict._asdict()) for verdict in judged],
        "calibration_ms": calibration_ms,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _finite(fields: Mapping[str, object]) -> dict[str, object]:
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in fields.items()
    }
