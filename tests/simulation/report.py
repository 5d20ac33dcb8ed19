"""What a failing seed prints: what broke, which faults it needs, how it came about, how to replay."""

import sys
from collections.abc import Iterable

from tests.simulation.plan import Fault
from tests.simulation.run import Result, run
from tests.simulation.world import World

_TAIL = 40


def say(text: str) -> None:
    """Tell whoever sits at the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def needed(result: Result, world: type[World] = World) -> tuple[Fault, ...]:
    """The classes of faults without which the first violation of ``result`` does not come about.

    They are taken away one by one, and stay away where the same invariant breaks without them.
    """
    wanted = result.violations[0].invariant
    without: set[Fault] = set()
    for fault in Fault:
        if fault in result.plan.faults:
            again = run(result.seed, {*without, fault}, world)
            if any(v.invariant == wanted for v in again.violations):
                without.add(fault)
    return tuple(fault for fault in Fault if fault in result.plan.faults - without)


def replay_command(seed: int, without: Iterable[Fault] = ()) -> str:
    """What to type to see a seed again."""
    left_out = "".join(f" --without {fault}" for fault in without)
    return f"python -m tests.simulation --seed {seed}{left_out}"


def failure(result: Result, world: type[World] = World) -> str:
    """A failing seed in words."""
    lines = [f"seed {result.seed}: {violation}" for violation in result.violations]
    first = result.violations[0]
    lines += [f"    {line}" for line in first.chain]
    wants = needed(result, world)
    without = [f for f in Fault if f in result.plan.faults and f not in wants]
    lines.append(f"needs: {', '.join(wants) or 'no faults at all'}")
    lines.append("replay: " + replay_command(result.seed))
    if without:
        lines.append("    or: " + replay_command(result.seed, without))
    return "\n".join(lines)


def tail(result: Result) -> str:
    """The end of the story, up to the first violation."""
    story = list(result.story)
    broken = next((at for at, line in enumerate(story) if "VIOLATED" in line), len(story))
    return "\n".join(story[max(0, broken - _TAIL) : broken + 1])
