"""Loaded by every Python process that finds this folder in PYTHONPATH: on SIGUSR1 it forces a full
garbage collection and writes how many milliseconds that took into ``$GC_PROBE_DIR/<pid>``.

So the real processes of the hub can be measured without a line for it in any of them.
"""

import os
import signal
import time
from pathlib import Path
from types import FrameType


def _collect(number: int, frame: FrameType | None) -> None:
    import gc

    started_ns = time.perf_counter_ns()
    gc.collect()
    took_ms = (time.perf_counter_ns() - started_ns) / 1e6
    with (Path(os.environ["GC_PROBE_DIR"]) / str(os.getpid())).open("a") as file:
        file.write(f"{took_ms}\n")


signal.signal(signal.SIGUSR1, _collect)
