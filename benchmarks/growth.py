"""P7: the CPU that one robot costs the hub, in fleets of different sizes.

Robots converse over the native wire with 20 ms chunks, users speak 30 % of the time. Rounds of
the fleets alternate. The fewer robots, the more each pays for the wake-ups of the processes.
"""

import statistics
from collections.abc import Sequence

from benchmarks.fleets import converse, faults_note
from benchmarks.report import Row
from benchmarks.stack import SCRIPTED, stack
from robot_sim.load.result import LoadResult

FLEETS = (10, 100, 200)
GOALS = (0.5, 1.0)
"""What a robot of a fleet may cost, compared with one of the fleet before it."""
ROUNDS = 3
SECONDS = 6.0


def run(
    fleets: Sequence[int] = FLEETS, rounds: int = ROUNDS, seconds: float = SECONDS
) -> list[Row]:
    """Measure P7."""
    results: dict[int, list[LoadResult]] = {robots: [] for robots in fleets}
    with stack(SCRIPTED) as hub:
        for number in range(rounds):
            for robots in fleets if number % 2 == 0 else tuple(reversed(fleets)):
                results[robots].append(converse(hub, robots, seconds, f"growth-{robots}"))
    return [
        _row(results[larger], results[smaller], goal)
        for smaller, larger, goal in zip(fleets, fleets[1:], GOALS, strict=False)
    ]


def _row(larger: list[LoadResult], smaller: list[LoadResult], goal: float) -> Row:
    ours, theirs = (
        statistics.median(result.cpu_ms_per_robot for result in results)
        for results in (larger, smaller)
    )
    last = larger[-1]
    cores = ", ".join(f"{name} {cpu / last.seconds:.2f}" for name, cpu in last.cpu_s.items())
    carried = statistics.median(result.robots_per_core for result in larger)
    notes = (f"{carried:.0f} robots per core; cores: {cores}", *map(faults_note, larger))
    return Row(
        case=f"P7 growth, {last.robots} robots beside {smaller[0].robots}",
        metric="CPU per robot and second",
        ours=ours,
        peer=theirs,
        unit="ms",
        goal=f"≤ {goal:g} ×",
        ok=ours <= goal * theirs,
        note="; ".join(filter(None, notes)),
    )
