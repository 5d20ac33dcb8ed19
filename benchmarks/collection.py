"""P9: how long a forced full garbage collection stalls each process of a running hub.

It stalls the loop of that process, and so sets everybody's worst latency. The processes are the
real ones with their embedded engines; ``benchmarks/probe`` is put into them from outside.
"""

import os
import signal
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.report import Row
from benchmarks.stack import Stack, stack

GOAL_MS = 5.0
ROUNDS = 5
ANSWER_TIMEOUT_S = 10.0
PROBE = Path(__file__).parent / "probe"


def run(rounds: int = ROUNDS) -> list[Row]:
    """A row for each process: the median and, in the note, the longest of ``rounds``."""
    with tempfile.TemporaryDirectory(prefix="robot-hub-gc-") as answers:
        environment = {"PYTHONPATH": str(PROBE), "GC_PROBE_DIR": answers}
        with stack(environment) as running:
            return [
                _row(name, _collections_ms(Path(answers) / str(pid), pid, rounds))
                for name, pid in sorted(_by_name(running).items())
            ]


def _by_name(running: Stack) -> dict[str, int]:
    return running.processes() | {"hub.supervise": running.supervisor_pid}


def _collections_ms(answer: Path, pid: int, rounds: int) -> list[float]:
    for expected in range(1, rounds + 1):
        os.kill(pid, signal.SIGUSR1)
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while not answer.exists() or len(answer.read_text().splitlines()) < expected:
            if time.monotonic() > deadline:
                raise RuntimeError(f"process {pid} does not answer: is its loop stuck?")
            time.sleep(0.02)
    return [float(line) for line in answer.read_text().splitlines()]


def _row(name: str, took_ms: list[float]) -> Row:
    median_ms = statistics.median(took_ms)
    return Row(
        case="P9 gc",
        metric=f"full collection in {name}",
        ours=median_ms,
        peer=None,
        unit="ms",
        goal=f"≤ {GOAL_MS:.0f} ms",
        ok=median_ms <= GOAL_MS,
        note=f"longest of {len(took_ms)}: {max(took_ms):.1f} ms",
    )
