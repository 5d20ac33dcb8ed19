"""P6: what a hub takes in memory, and what every further robot adds.

Memory is PSS: pages that several processes share count by their share. Engines are scripted and
load no model, so what is measured is the hub itself. The price of a robot is the slope between a
small and a large fleet, both in conversation.
"""

from benchmarks.fleets import converse, faults_note
from benchmarks.report import Row
from benchmarks.stack import SCRIPTED, Stack, stack
from robot_sim.load.result import LoadResult
from robot_sim.load.usage import Memory, Meter, running_under

TOTAL_GOAL_MIB = 200.0
ROBOT_GOAL_MIB = 0.3
FEW, MANY = 10, 100
SECONDS = 6.0


def run(few: int = FEW, many: int = MANY, seconds: float = SECONDS) -> list[Row]:
    """Measure P6."""
    with stack(SCRIPTED) as hub:
        idle = _look(hub)
        results = [converse(hub, robots, seconds, f"memory-{robots}") for robots in (few, many)]
    return [_total(idle), _slope(*results)]


def _look(hub: Stack) -> Memory:
    meter = Meter(lambda: running_under(hub.supervisor_pid))
    meter.look(0.0)
    return meter.memory[0]


def _total(idle: Memory) -> Row:
    return Row(
        case="P6 memory",
        metric="hub with four scripted agents",
        ours=idle.total_mib,
        peer=None,
        unit="MiB",
        goal=f"≤ {TOTAL_GOAL_MIB:.0f} MiB",
        ok=idle.total_mib <= TOTAL_GOAL_MIB,
        note=", ".join(f"{name} {mib:.0f}" for name, mib in idle.mib.items()),
    )


def _slope(few: LoadResult, many: LoadResult) -> Row:
    before, after = few.memory[-1], many.memory[-1]
    robots = many.robots - few.robots

    def each(mib: float) -> float:
        return mib / robots

    slope = each(after.total_mib - before.total_mib)
    parts = ", ".join(
        f"{name} {each(mib - before.mib.get(name, 0.0)):.3f}" for name, mib in after.mib.items()
    )
    return Row(
        case=f"P6 memory, {few.robots} to {many.robots} robots",
        metric="one more robot",
        ours=slope,
        peer=None,
        unit="MiB",
        goal=f"≤ {ROBOT_GOAL_MIB:g} MiB",
        ok=slope <= ROBOT_GOAL_MIB,
        note="; ".join(filter(None, (parts, faults_note(few), faults_note(many)))),
    )
