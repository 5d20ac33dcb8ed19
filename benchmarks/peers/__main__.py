"""``python -m benchmarks.peers [--robots N,N…] [--rounds R] [--seconds S] [--direct]``: P4 and P2's ratio.

Every server is up all the time; in each round each of them in turn is given fresh connections, a
moment to settle, and the same talk for the same time by the same client (``client.py``), so that
rounds alternate A B C D, A B C D. CPU is user and system time of all processes of a server;
memory is what its processes' PSS grew by, per connection, in the first round. Figures are
medians over rounds; quantiles are over all turns of all rounds.

What each does per chunk and what was switched off stands in ``serve_pipecat.py`` and
``serve_livekit.py``. The hub runs with scripted engines, each agent a process, nothing switched
off: every microphone chunk crosses the bus, playback is acknowledged, speech is paced, history is
stored.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path

from rich.console import Console

from benchmarks.peers.client import Collect, Connect, HangUp, Sample, Talks, client
from benchmarks.peers.environments import PeerMissing, Server, prepared, serving
from benchmarks.peers.results import (
    DIRECT,
    SIDES,
    Measured,
    Side,
    figures,
    keep,
    show,
    verdicts,
)
from benchmarks.processes import CpuMeter, JobFailed, Worker
from benchmarks.report import calibrate
from benchmarks.stack import SCRIPTED, stack

ROBOTS = (1, 10, 40, 100)
ROUNDS, SECONDS = 3, 8.0
RESULT = Path("build/bench-peers.json")
WIDTH = 110
"""Columns of the table, whatever it is printed to."""


class Unserved(Exception):
    """A server does not serve so many robots; the text says what happened to one of them."""


def measure(
    sides: Sequence[Side], robots: Sequence[int], rounds: int, seconds: float, console: Console
) -> Measured:
    """All ``sides`` at all sizes, interleaved.

    Raises:
        PeerMissing: a peer is not to be had.
        RuntimeError: the client ended.
    """
    measured: Measured = {}
    with ExitStack() as running:
        servers: dict[Side, tuple[str, list[int]]] = {}
        for side in sides:
            if side.peer:
                server: Server = running.enter_context(serving(side.peer, side.variant))
                servers[side] = server.url, [server.pid]
            else:
                hub = running.enter_context(stack(SCRIPTED))
                servers[side] = hub.url, [hub.supervisor_pid, *hub.processes().values()]
        worker = running.enter_context(Worker(client))
        failed: set[tuple[Side, int]] = set()
        for count, number in product(robots, range(rounds)):
            for side in sides if number % 2 == 0 else sides[::-1]:
                if (side, count) in failed:
                    continue
                url, pids = servers[side]
                try:
                    with console.status(f"{side.name}, {count} robots, round {number + 1}"):
                        one = _round(worker, side, url, pids, count, number, seconds)
                except Unserved as error:
                    worker.ask(HangUp())
                    failed.add((side, count))
                    console.print(f"{side.name} does not serve {count} robots: {error}")
                else:
                    measured.setdefault((side, count), []).append(one)
    return {key: found for key, found in measured.items() if key not in failed}


def _round(
    worker: Worker, side: Side, url: str, pids: list[int], count: int, number: int, seconds: float
) -> tuple[Sample, float, float]:
    """Sample, cores, and MiB of growth per robot.

    Raises:
        Unserved: a connection was refused, ended or starved.
    """
    before = _pss_mib(pids)
    meter = CpuMeter(server=pids)
    try:
        worker.ask(Connect(url, not side.peer, count, f"peers-{count}-{number}"))
        with meter:
            worker.ask(Talks(seconds))
        grown = (_pss_mib(pids) - before) / count
        sample: Sample = worker.ask(Collect())
    except JobFailed as error:
        raise Unserved(str(error)) from error
    return sample, meter.cores()["server"], grown


def _pss_mib(pids: Sequence[int]) -> float:
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def main(arguments: Sequence[str]) -> int:
    """Measure, show, keep; 1 if a goal was missed, 2 if a peer is not to be had."""
    parser = argparse.ArgumentParser(prog="make bench-peers")
    parser.add_argument(
        "--robots", default=ROBOTS, type=lambda text: [int(n) for n in text.split(",")]
    )
    parser.add_argument("--rounds", default=ROUNDS, type=int)
    parser.add_argument("--seconds", default=SECONDS, type=float)
    parser.add_argument(
        "--direct", action="store_true", help="also measure Pipecat without queues, see its server"
    )
    options = parser.parse_args(arguments)
    sides = (*SIDES, DIRECT) if options.direct else SIDES
    errors, console = Console(stderr=True, soft_wrap=True), Console(width=WIDTH)
    try:
        for peer in sorted({side.peer for side in sides if side.peer}):
            with errors.status(f"preparing {peer}"):
                prepared(peer)
        before_ms = calibrate()
        measured = measure(sides, options.robots, options.rounds, options.seconds, errors)
    except PeerMissing as error:
        errors.print(str(error), highlight=False)
        return 2
    found = figures(measured)
    judged = verdicts(found)
    calibration_ms = before_ms, calibrate()
    show(found, judged, calibration_ms, console)
    keep(found, judged, calibration_ms, RESULT)
    console.print(f"written to {RESULT}")
    return 1 if any(verdict.ok is False for verdict in judged) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
