"""``python -m tests.simulation``: one seed as a story, or many seeds."""

import argparse
import sys

from tests.simulation.plan import Fault
from tests.simulation.report import failure, say, tail
from tests.simulation.run import Result, run
from tests.simulation.soak import soak


def main() -> int:
    """Run what the command line asks for; 1 if an invariant was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one and tell its story")
    parser.add_argument("--verbose", action="store_true", help="tell all of the story")
    parser.add_argument(
        "--without", action="append", default=[], choices=tuple(Fault), metavar="FAULT",
        help=f"leave out a class of faults: {', '.join(Fault)}",
    )  # fmt: skip
    parser.add_argument("--seeds", type=int, default=500, help="how many to run")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    if options.seed is None:
        return int(soak(options.first, options.seeds, options.processes) > 0)
    result = run(options.seed, map(Fault, options.without))
    _tell(result, options.verbose)
    return int(bool(result.violations))


def _tell(result: Result, verbose: bool) -> None:
    plan = result.plan
    say(f"seed {result.seed}, story {result.digest}")
    for person in plan.robots:
        say(f"  {person}")
    for broken in plan.breaks:
        say(f"  {broken}")
    say(f"  faults: {', '.join(f for f in Fault if f in plan.faults) or 'none'}\n")
    say("\n".join(result.story) if verbose else tail(result))
    say("")
    say(failure(result) if result.violations else "every invariant held")


if __name__ == "__main__":
    sys.exit(main())
