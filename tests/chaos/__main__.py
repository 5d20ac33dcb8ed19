"""``make chaos``: a fleet converses while processes die; exit code 1 on any breach."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import ChaosOrder, ChaosResult, run_chaos


def tell(line: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--robots", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the result there")
    parser.add_argument("--keep", type=Path, help="leave data and log of the hub in this folder")
    chosen = parser.parse_args()
    order = ChaosOrder(
        robots=chosen.robots,
        seconds=chosen.minutes * 60,
        strikes=chosen.kills,
        seed=chosen.seed,
    )
    if chosen.keep is not None:
        chosen.keep.mkdir(parents=True, exist_ok=True)
        result = asyncio.run(run_chaos(chosen.keep, order, tell))
    else:
        with tempfile.TemporaryDirectory(prefix="robot-hub-chaos-") as folder:
            result = asyncio.run(run_chaos(Path(folder), order, tell))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(result.document(), indent=1))
    show(result)
    return 1 if result.breaches else 0


def show(result: ChaosResult) -> None:
    """The verdict, for people."""
    healed = sorted(blow.healed_s for blow in result.blows if blow.healed_s >= 0)
    if healed:
        median, worst = healed[len(healed) // 2], healed[-1]
        tell(f"answers again after {median:.2f} s (median), {worst:.2f} s (worst)")
    for name, grown in sorted(result.growth.items()):
        tell(
            f"{name:16s} {grown.mib_per_minute:+6.2f} MiB a minute, "
            f"{grown.first_mib:5.1f} MiB at first, {grown.last_mib:5.1f} at last, {grown.lives} lives"
        )
    tell(f"counts: {json.dumps(result.counts, sort_keys=True)}")
    tell(f"ends of turns: {json.dumps(result.outcomes, sort_keys=True)}")
    tell(f"trace: {result.trace}")
    for breach in result.breaches:
        tell(f"BREACH {breach}")
    again = f"--robots {result.order.robots} --kills {len(result.blows)} --seed {result.order.seed}"
    tell(f"{len(result.blows)} strikes, {len(result.breaches)} breaches ({again})")


if __name__ == "__main__":
    sys.exit(main())
