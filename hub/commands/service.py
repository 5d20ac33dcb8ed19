"""``robot-hub start``, ``stop``, ``restart``: a hub that no terminal holds, with its log in a file.

The process is found by the pid file that its supervisor holds locked (``hub/pidfile.py``), however
it was started, and signalled through a handle of the kernel: no other process can be hit.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx
from rich.console import Console

from hub import pidfile
from hub.commands.client import check_port
from hub.commands.run import launch_of
from hub.log_file import FILE as LOG_FILE
from hub.settings import Settings
from hub.store.datadir import owner_of
from hub.supervise import command_of
from hub.supervisor import AGENT_GRACE_S
from protocols.errors import HubError

START_TIMEOUT_S = 60.0
LAST_WORDS = 15
"""Lines of the log that are shown of a start that failed."""
_POLL_S = 0.1
_AT_ONCE_S = 10.0
"""How long the processes may take to go once they were told to end at once."""

Load = Callable[..., Settings]
"""Reads the settings, with those of a command line on top."""


class NotStarted(HubError):
    """The hub did not come up; the text ends with what it said."""

    code = "hub_not_started"


class NotStopped(HubError):
    """The hub cannot be stopped from here, or does not end."""

    code = "hub_not_stopped"


class Started(NamedTuple):
    """A hub that answers, and whether it did before."""

    record: pidfile.Record
    anew: bool


def start(settings: Settings, given: Mapping[str, str]) -> Started:
    """Start a hub that goes on when this command is over, and wait until it answers.

    Raises:
        StartRefused: it could not start as it is configured.
        NotStarted: it ended at once, or did not answer in time; it does not run then.
    """
    if (there := pidfile.running(settings.hub_data_dir)) is not None:
        return Started(there, anew=False)
    if settings.server_port == 0:
        raise NotStarted("SERVER_PORT is 0, which takes any free port: say which one, to find it")
    log = settings.hub_data_dir / LOG_FILE
    launch = launch_of(settings, given, log)
    began = _size(log)
    try:
        sink = log.open("ab")
    except OSError as error:
        raise NotStarted(f"the log {log} cannot be written: {error.strerror}") from None
    with sink:
        process = subprocess.Popen(
            command_of(launch.order),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=launch.environment,
            start_new_session=True,  # the terminal's signals are not meant for it
        )
    try:
        _wait_until_it_answers(launch.order.url, process, lambda: _said(log, began))
    except BaseException:  # Ctrl-C included: nothing half started stays
        _end(process)
        raise
    process.returncode = 0  # it lives on; this command has nothing more to do with it
    record = pidfile.running(settings.hub_data_dir)
    if record is None:
        raise NotStarted(f"the hub answered and ended at once:\n{_said(log, began)}")
    return Started(record, anew=True)


def stop(
    settings: Settings, *, now: bool = False, port: int | None = None
) -> pidfile.Record | None:
    """Let the hub of these settings finish its turns and end; return what ran, None if none did.
    One that listens at another ``port`` than is given stays.

    The first SIGTERM lets turns end. A second one ends everything at once: it is sent on Ctrl-C,
    after the time that turns may take, or with ``now``.

    Raises:
        NotStopped: its supervisor is not one of ours, or does not end.
        OtherPort: the hub of the data directory listens elsewhere.
    """
    record = pidfile.running(settings.hub_data_dir)
    if record is None:
        _refuse_a_stranger(settings.hub_data_dir)
        return None
    check_port(record, port, settings.hub_data_dir)
    try:
        handle = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return record
    try:
        if pidfile.is_alive(record):  # else the number is another process's by now
            _terminate(handle, record, now)
    except PermissionError:
        raise NotStopped(f"process {record.pid} belongs to another user") from None
    finally:
        os.close(handle)
    return record


def restart(settings: Settings, given: Mapping[str, str], load: Load) -> Started:
    """Stop the hub if it runs, and start it: with the command line and working directory that it
    had, where ``given`` is empty. Raises as ``start`` and ``stop`` do."""
    ran = stop(settings)
    if ran is not None and not given:
        if ran.cwd:
            try:
                os.chdir(ran.cwd)
            except OSError as error:
                raise NotStarted(f"{ran.cwd}, where it ran, is gone: {error.strerror}") from None
        given = ran.given
        settings = load(**given)
    return start(settings, given)


def alive(url: str) -> bool:
    """Whether a hub answers. Its certificate is not looked at: nothing secret is sent."""
    try:
        answer = httpx.get(f"{url}/livez", timeout=5.0, trust_env=False, verify=False)
        return bool(answer.json() == {"alive": True})
    except (httpx.HTTPError, ValueError):
        return False


def _terminate(handle: int, record: pidfile.Record, now: bool) -> None:
    patience_s = record.drain_s + 2 * AGENT_GRACE_S + _AT_ONCE_S
    signal.pidfd_send_signal(handle, signal.SIGTERM)
    with _told("stopping; Ctrl-C to end it at once"):
        try:
            if not now and _gone(handle, patience_s):
                return
        except KeyboardInterrupt:
            pass
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGTERM)
        if not _gone(handle, _AT_ONCE_S):
            raise NotStopped(f"process {record.pid} was told twice and does not end")


def _gone(handle: int, patience_s: float) -> bool:
    """Whether the process of a pidfd ends in time."""
    ready, _, _ = select.select([handle], [], [], patience_s)
    return bool(ready)


def _refuse_a_stranger(data_dir: Path) -> None:
    """Raise if a hub that no supervisor of ours keeps uses the data directory."""
    if (owner := owner_of(data_dir)) is not None:
        raise NotStopped(
            f"process {owner} uses the data directory {data_dir} and was not started by"
            " `robot-hub run` or `start`: end it where it was started"
        )


def _wait_until_it_answers(
    url: str, process: "subprocess.Popen[bytes]", said: Callable[[], str]
) -> None:
    """Return once the hub is alive; its agents may still load."""
    deadline = time.monotonic() + START_TIMEOUT_S
    with _told(f"starting the hub at {url}"):
        while time.monotonic() < deadline:
            code = process.poll()
            if code is not None:
                raise NotStarted(f"the hub ended with exit code {code}; it said:\n{said()}")
            if alive(url):
                return
            time.sleep(_POLL_S)
    raise NotStarted(
        f"the hub did not answer at {url} within {START_TIMEOUT_S:.0f} s and was ended; it said:\n"
        f"{said()}"
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    for _ in range(2):  # the second SIGTERM ends everything at once
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_AT_ONCE_S)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Show what is waited for, where somebody looks."""
    with Console(stderr=True).status(what):
        yield


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0


def _said(log: Path, began: int) -> str:
    """The end of what was logged since the file was ``began`` bytes long."""
    try:
        with log.open("rb") as file:
            file.seek(began if _size(log) >= began else 0)
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        return f"(its log {log} cannot be read: {error.strerror})"
    return "\n".join(f"  {line}" for line in lines[-LAST_WORDS:]) or "  nothing"
