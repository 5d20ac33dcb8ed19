"""``robot-hub demo``: a hub of its own, and a simulated robot that converses with it."""

import importlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from hub import leash
from hub.settings import Settings, load
from protocols.errors import HubError

ENTRIES: Mapping[str, str] = {
    "options": "robot_sim.demo_options:DemoOptions",
    "run": "robot_sim.demo:run_demo",
}
"""The one place where the hub's package names the simulator's: by strings."""

CANNOT = 2
"""What the simulator's demo returns if no conversation could be held."""

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
_POLL_S = 0.1
_LOG_LINES_SHOWN = 15


class DemoFailed(HubError):
    """The hub of the demo did not come up; the text ends with what it said."""

    code = "demo_failed"


def demo(settings: Settings, choices: Mapping[str, Any]) -> int:
    """Run the demo and return its exit code.

    Args:
        settings: where the hub keeps its data matters only if it was given; the port is any free
            one.
        choices: fields of the simulator's ``DemoOptions``, without those left to their defaults.

    Raises:
        DemoFailed: the hub did not start.
    """
    options = entry("options")
    run = entry("run")
    if settings.hub_token is not None:
        choices = {**choices, "token": settings.hub_token.get_secret_value()}
    with _data_dir(settings) as data_dir:
        here = load(
            hub_data_dir=data_dir,
            hub_bus_dir=data_dir / "bus",  # never that of a hub which runs already
            server_host="127.0.0.1",
            server_port=_free_port(),
        )
        url = f"http://127.0.0.1:{here.server_port}"
        log = data_dir / "hub.log"
        with _hub(here, log) as process:
            _wait_until_it_answers(url, process, log)
            code: int = run(options(hub_url=url, **choices))
            at_fault = code == CANNOT and not _is_ready(url)
        if at_fault:
            Console(stderr=True).print(f"the hub said:\n{_tail(log)}", markup=False)
        return code


def entry(name: str) -> Any:
    """The object that a line of ``ENTRIES`` names."""
    module, _, attribute = ENTRIES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


@contextmanager
def _data_dir(settings: Settings) -> Iterator[Path]:
    if "hub_data_dir" in settings.model_fields_set:
        settings.hub_data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield settings.hub_data_dir
        return
    with tempfile.TemporaryDirectory(prefix="robot-hub-demo-") as folder:
        yield Path(folder)


@contextmanager
def _hub(settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
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
    """Return once the hub is alive; the demo itself waits for the agents."""
    deadline = time.monotonic() + START_TIMEOUT_S
    with Console(stderr=True).status("starting the hub"), httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise DemoFailed(f"the hub did not start: {_tail(log)}")
            try:
                if client.get(f"{url}/livez").is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(_POLL_S)
    raise DemoFailed(f"the hub did not answer within {START_TIMEOUT_S:.0f} s: {_tail(log)}")


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    return "\n".join(lines[-_LOG_LINES_SHOWN:]) or "it said nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
