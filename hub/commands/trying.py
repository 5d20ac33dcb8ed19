"""Runs one trial: an agent's process of its own, with a time limit, of which nothing is left."""

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from hub import leash
from hub.trials import Ended, Trial
from protocols.trial import TRY, TrialReport, TrialStep, decode_line

LEAVING_S = 10.0
"""How long a process may take to free its engine once it has reported."""
_LAST_BYTES = 4_096

Told = Callable[[TrialStep], None]


def command_of(trial: Trial, recording: Path) -> tuple[str, ...]:
    """The command that tries an engine; ``recording`` is of somebody who speaks."""
    return (sys.executable, "-m", f"agents.{trial.kind}", TRY, str(recording))


def watched(
    command: Sequence[str], environment: Mapping[str, str], limit_s: float, told: Told
) -> Ended:
    """Run a trial's ``command``; return within ``limit_s`` and a little. ``told`` is called with
    each of its steps."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            leash.command_line(tuple(command)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dict(environment),
            process_group=0,  # an engine's own processes go with it
        )
        try:
            report, last_step, in_time = _listen(process, limit_s, told)
            status = _left(process) if in_time else None
        finally:
            _end(process)
        return Ended(report, last_step, status, _last_words(errors))


def _listen(
    process: "subprocess.Popen[bytes]", limit_s: float, told: Told
) -> tuple[TrialReport | None, TrialStep | None, bool]:
    """Its report, its last step, and whether it came to an end in time."""
    lines: queue.Queue[bytes | None] = queue.Queue()
    assert process.stdout is not None
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    deadline = time.monotonic() + limit_s
    last_step: TrialStep | None = None
    while True:
        try:
            data = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None, last_step, False
        match decode_line(data) if data is not None else None:
            case TrialReport() as report:
                return report, last_step, True
            case TrialStep() as last_step:
                told(last_step)
        if data is None:
            return None, last_step, True


def _read(out: IO[bytes], lines: "queue.Queue[bytes | None]") -> None:
    with out:
        for line in out:
            lines.put(line)
    lines.put(None)


def _left(process: "subprocess.Popen[bytes]") -> int | None:
    try:
        return process.wait(LEAVING_S)
    except subprocess.TimeoutExpired:
        return None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Whatever of its group still runs ends now."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_words(errors: IO[bytes]) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - _LAST_BYTES))
    lines = errors.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
