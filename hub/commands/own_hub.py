"""A hub that a command starts for itself: a process of its own, gone when the command is done."""

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from rich.console import Console

from hub import leash
from hub.settings import Settings, load
from protocols.errors import HubError

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
_POLL_S = 0.1
_LOG_LINES_SHOWN = 15


class HubNotStarted(HubError):
    """The command's own hub did not come up; the text ends with what it said."""

    code = "hub_not_started"


class OwnHub(NamedTuple):
    """A hub that answers. ``supervisor`` is its first process, which keeps the others; ``traces``
    is where it writes them, if it does."""

    url: str
    supervisor: "subprocess.Popen[bytes]"
    log: Path
    traces: Path | None

    def is_ready(self) -> bool:
        """Whether a conversation could be held."""
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """Let it finish what it does; its data stays as long as the block."""
        _stop(self.supervisor)

    def last_words(self) -> str:
        """The end of what it said."""
        return _tail(self.log)


@contextmanager
def own_hub(settings: Settings, **chosen: Any) -> Iterator[OwnHub]:
    """``robot-hub run`` on any free port, until the block is left.

    Args:
        settings: where it keeps its data matters only if it was given, else it is thrown away.
        chosen: further settings of that hub.

    Raises:
        HubNotStarted: it did not answer in time.
    """
    with _data_dir(settings) as data_dir:
        here = load(
            hub_data_dir=data_dir,
            hub_bus_dir=data_dir / "bus",  # never that of a hub which runs already
            server_host="127.0.0.1",
            server_port=_free_port(),
            **chosen,
        )
        url = f"http://127.0.0.1:{here.server_port}"
        log = data_dir / "hub.log"
        with _running(here, log) as process:
            _wait_until_it_answers(url, process, log)
            yield OwnHub(url, process, log, here.trace_dir)


@contextmanager
def _data_dir(settings: Settings) -> Iterator[Path]:
    if "hub_data_dir" in settings.model_fields_set:
        settings.hub_data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield settings.hub_data_dir
        return
    with tempfile.TemporaryDirectory(prefix="robot-hub-own-") as folder:
        yield Path(folder)


@contextmanager
def _running(settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A hub with its agents, in a process group of its own: Ctrl-C is answered by this process."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            leash.command_line((sys.executable, "-m", "hub.cli", "run")),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=settings.child_environment(),
            process_group=0,
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.send_signal(signal.SIGTERM)  # the second one ends everything at once
        process.wait()


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once the hub is alive; its agents may still load."""
    deadline = time.monotonic() + START_TIMEOUT_S
    with Console(stderr=True).status("starting the hub"), httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise HubNotStarted(f"the hub did not start: {_tail(log)}")
            try:
                if client.get(f"{url}/livez").is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(_POLL_S)
    raise HubNotStarted(f"the hub did not answer within {START_TIMEOUT_S:.0f} s: {_tail(log)}")


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    return "\n".join(lines[-_LOG_LINES_SHOWN:]) or "it said nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
