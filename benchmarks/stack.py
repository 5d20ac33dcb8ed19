"""The whole hub as real processes, for benchmarks to drive."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0

SCRIPTED: Mapping[str, str] = {"HUB_BENCH": "1"}
"""Environment of a hub in bench mode, whose engines answer at once."""

RUN = ("hub.cli", "run")
"""Module that starts a hub, and its arguments."""


class Stack(NamedTuple):
    """A running hub."""

    url: str
    supervisor_pid: int
    log: Path

    def processes(self) -> dict[str, int]:
        """Process ids of the hub and its agents by module name."""
        pid = self.supervisor_pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        modules = (Path(f"/proc/{c}/cmdline").read_bytes().split(b"\0") for c in children)
        return {
            command[command.index(b"-m") + 1].decode(): int(child)
            for child, command in zip(children, modules, strict=True)
        }


@contextmanager
def stack(
    environment: Mapping[str, str],
    command: Sequence[str] = RUN,
    ready_timeout_s: float = READY_TIMEOUT_S,
) -> Iterator[Stack]:
    """A hub with ``environment`` on top of this process's, ready to be talked to.

    Raises:
        RuntimeError: it was not ready in time; the text ends with its log.
    """
    with tempfile.TemporaryDirectory(prefix="robot-hub-bench-") as folder:
        port = _free_port()
        log = Path(folder) / "hub.log"
        given = {"HUB_DATA_DIR": folder, "SERVER_PORT": str(port), "HUB_LOG_LEVEL": "WARNING"}
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env={**os.environ, **given, **environment},
            )
        try:
            running = Stack(f"http://127.0.0.1:{port}", process.pid, log)
            _wait_until_ready(running, process, ready_timeout_s)
            yield running
        finally:
            _stop(process)


def _wait_until_ready(running: Stack, process: "subprocess.Popen[bytes]", timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get(f"{running.url}/readyz").is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
    raise RuntimeError(f"the hub is not ready:\n{running.log.read_text('utf-8', 'replace')}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)  # the second one ends everything at once
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
