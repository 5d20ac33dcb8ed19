"""Virtual environments of the peers, and their servers as processes."""

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / "build" / "peers"
INSTALL_TIMEOUT_S = 500.0
START_TIMEOUT_S = 60.0
_STAMP = ".set-up"


class PeerMissing(Exception):
    """A peer cannot be installed or started; the text is one sentence."""


class Server(NamedTuple):
    """A running peer."""

    url: str
    pid: int


def prepared(peer: str) -> Path:
    """The interpreter of ``peer``'s environment, which is made where it is not there yet.

    Raises:
        PeerMissing: its packages cannot be had.
    """
    requirements = Path(__file__).parent / f"{peer}.txt"
    folder = ENVIRONMENTS / peer
    python, stamp = folder / "bin" / "python", folder / _STAMP
    wanted = requirements.read_text()
    if stamp.is_file() and stamp.read_text() == wanted and python.exists():
        return python
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    # The list is complete and exact: what this checkout's pyproject.toml says of a package
    # (Pipecat's data files are used without its dependencies) must not reach it.
    commands = (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--no-deps", "--python", str(python), "-r", str(requirements)],
    )  # fmt: skip
    for command in commands:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PeerMissing(f"{peer} cannot be installed: {error}") from error
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no reason was given"]
            reason = next((line for line in lines if "error" in line.lower()), lines[0])
            raise PeerMissing(
                f"{peer} cannot be installed from this machine's package index: {reason.strip()}"
            )
    stamp.write_text(wanted)
    return python


@contextmanager
def serving(peer: str, variant: str) -> Iterator[Server]:
    """``peer``'s server, in its own environment.

    Raises:
        PeerMissing: it is not there, or its server ended before it said its port.
    """
    python = prepared(peer)
    given = {"PYTHONPATH": str(ROOT), "OTEL_SDK_DISABLED": "true", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [python, str(Path(__file__).parent / f"serve_{peer}.py"), variant],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, **given}, cwd=ENVIRONMENTS,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_TIMEOUT_S)
        port = process.stdout.readline().strip() if ready else b""
        if not port:
            process.kill()
            last = process.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
            raise PeerMissing(f"{peer} does not start: {last[0] if last else 'no reason given'}")
        yield Server(f"http://127.0.0.1:{port.decode()}", process.pid)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
