"""``robot-hub health``: a line for everything that a hub needs to serve, from the outside and from
its machine. Looking changes nothing, apart from a file that is written and removed again."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hub import pidfile
from hub.commands.client import Address, FoundHub, HubRefused, HubUnreachable, request
from hub.commands.service import alive
from hub.gpu import GpuProbe, Nvml, first_visible
from hub.settings import Settings
from hub.store.datadir import owner_of

WELL, ILL = 0, 1
LEAST_FREE_MIB = 512
"""Below this the store's next megabytes are not certain any more."""
MOST_LATE_MS = 100.0
"""A loop whose p99 is later than this lets speech out with gaps: the lead on the wire is 120 ms."""
MOST_CLOCK_ERROR_MS = 250.0
_TIMEOUT_S = 5.0
_YOUNGEST = timedelta(days=1)


class Check(NamedTuple):
    """What was looked at, what came of it (None: it could not be looked at), what it is for."""

    name: str
    passed: bool | None
    detail: str
    purpose: str


class _Seen(NamedTuple):
    """What the checks look at. ``document`` is the hub's ``/status``; None where it says ``why``."""

    settings: Settings
    address: Address
    is_here: bool
    record: pidfile.Record | None
    document: dict[str, Any] | None
    why: str


def health(
    hub: FoundHub,
    console: Console,
    *,
    as_json: bool = False,
    probe: GpuProbe | None = None,
) -> int:
    """Print the checks of ``hub``; return the exit code: 1 if one fails. What belongs to the hub's
    machine is not looked at from another one."""
    found = checks(hub, probe or Nvml())
    well = all(check.passed is not False for check in found)
    if as_json:
        body = {"healthy": well, "checks": [check._asdict() for check in found]}
        console.print_json(json.dumps(body))
    else:
        console.print(_table(found))
        passed = sum(check.passed is True for check in found)
        looked = sum(check.passed is not None for check in found)
        console.print(f"{passed} of {looked} checks pass", highlight=False)
    return WELL if well else ILL


def checks(hub: FoundHub, probe: GpuProbe) -> list[Check]:
    """Look at everything, in the order in which one thing needs the other."""
    seen = _look(hub)
    local = (
        Check(name, *(_at(look, seen) if seen.is_here else (None, "not this machine")), purpose)
        for name, look, purpose in _HERE
    )
    gpu = _gpu(hub.settings, probe) if seen.is_here else (None, "not this machine")
    remote = (Check(name, *look(seen), purpose) for name, look, purpose in _ASKED)
    return [
        *local,
        Check("gpu", *gpu, "engines that run on one"),
        *remote,
    ]


def _look(hub: FoundHub) -> _Seen:
    document, why = None, ""
    try:
        document = request(hub.address, "GET", "/status", None, _TIMEOUT_S)
    except HubUnreachable as error:
        why = str(error)
    except HubRefused as error:
        why = f"{error}; HUB_TOKEN holds the credential"
    return _Seen(hub.settings, hub.address, hub.is_here, hub.record, document, why)


Found = tuple[bool | None, str]


def _at(look: Callable[[_Seen], Found], seen: _Seen) -> Found:
    try:
        return look(seen)
    except OSError as error:
        return False, f"{error.filename or 'the system'}: {error.strerror}"


def _process(seen: _Seen) -> Found:
    if seen.record is not None:
        age = timedelta(seconds=int(seen.record.age_s))
        return True, f"process {seen.record.pid} runs for {age}"
    owner = owner_of(seen.settings.hub_data_dir)
    if owner is not None:
        return None, f"process {owner} runs, which no supervisor of ours keeps"
    return False, f"none runs with the data directory {seen.settings.hub_data_dir}"


def _store(seen: _Seen) -> Found:
    folder = seen.settings.hub_data_dir
    if not folder.is_dir():
        return False, f"{folder} does not exist yet"
    with tempfile.TemporaryFile(dir=folder, prefix=".health-") as file:
        file.write(b"x" * 4_096)
        file.flush()
        os.fsync(file.fileno())
    return True, str(folder)


def _disk(seen: _Seen) -> Found:
    usage = shutil.disk_usage(_existing(seen.settings.hub_data_dir))
    free_mib = usage.free >> 20
    return free_mib >= LEAST_FREE_MIB, f"{free_mib} of {usage.total >> 20} MiB free"


def _clock(seen: _Seen) -> Found:
    """The clock on the wall cannot be behind what was written by it."""
    now = datetime.now(UTC)
    files = [f for f in seen.settings.hub_data_dir.glob("hub.db*") if f.is_file()]
    written = max((f.stat().st_mtime for f in files), default=0.0)
    latest = datetime.fromtimestamp(written, UTC)
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if latest - now > _YOUNGEST:
        return False, f"{shown}, and the store was written at {latest:%Y-%m-%d %H:%M:%S}"
    return True, shown


def _ports(seen: _Seen) -> Found:
    settings = seen.settings
    urls = [seen.address.url]
    for listen in settings.listens:
        there = {"server_host": listen.host, "server_port": listen.port}
        urls.append(settings.model_copy(update=there).local_url)
    dead = [url for url in urls if not alive(url)]
    return not dead, f"nobody answers at {', '.join(dead)}" if dead else ", ".join(urls)


def _gpu(settings: Settings, probe: GpuProbe) -> Found:
    reading = probe.read()
    gpu = first_visible(reading.gpus, settings.visible_gpus)
    wanted = [share.setting for share in settings.gpu_shares]
    if gpu is None:
        why = reading.why or "none is visible"
        return (False if wanted else None), f"none that can be measured ({why})"
    return True, f"{gpu.name}, {gpu.free_gb:.1f} of {gpu.total_gb:.1f} GiB free"


def _answers(seen: _Seen) -> Found:
    began = monotonic()
    if alive(seen.address.url):
        return True, f"{seen.address.url} in {(monotonic() - began) * 1_000:.0f} ms"
    return False, seen.why or f"no hub answers at {seen.address.url}"


def _asked(look: Callable[[dict[str, Any]], Found]) -> Callable[[_Seen], Found]:
    """A check of what the hub says of itself; where it says nothing there is nothing to check."""

    def check(seen: _Seen) -> Found:
        return look(seen.document) if seen.document is not None else (None, seen.why)

    return check


def _agents(document: dict[str, Any]) -> Found:
    agents = document.get("agents", {})
    waiting = [
        f"{name} is {agent.get('state')}{_of(agent.get('progress'))}"
        for name, agent in agents.items()
        if agent.get("state") != "ready"
    ]
    ready = bool(document.get("ready"))
    if ready and not waiting:
        return True, f"{len(agents)} take work"
    return ready, "; ".join(waiting) or "ears, stt, planner or tts is missing"


def _of(progress: object) -> str:
    return f" ({progress})" if progress else ""


def _processes(document: dict[str, Any]) -> Found:
    degraded = document.get("degraded", {})
    if degraded:
        return False, "; ".join(f"{name} {why}" for name, why in degraded.items())
    restarts = {name: n for name, n in document.get("restarts", {}).items() if n}
    again = ", ".join(f"{name} {n} times" for name, n in restarts.items())
    return True, f"started again: {again}" if again else "none was started again"


def _promises(document: dict[str, Any]) -> Found:
    broken = {name: n for name, n in document.get("violations", {}).items() if n}
    return not broken, ", ".join(f"{name} {n} times" for name, n in broken.items()) or "none broken"


def _loops(document: dict[str, Any]) -> Found:
    late = {"hub": float(document.get("loop", {}).get("p99_ms", 0.0))}
    late |= {
        name: float(agent.get("lag_ms", 0.0)) for name, agent in document.get("agents", {}).items()
    }
    worst = max(late, key=lambda name: late[name])
    return late[worst] <= MOST_LATE_MS, f"latest: {worst}, {late[worst]:.1f} ms"


def _robot_clocks(document: dict[str, Any]) -> Found:
    clocks = document.get("clocks", {})
    if not clocks:
        return None, "no robot is connected"
    worst = max(clocks, key=lambda robot: clocks[robot].get("error_ms", 0.0))
    error_ms = float(clocks[worst].get("error_ms", 0.0))
    return error_ms <= MOST_CLOCK_ERROR_MS, f"widest: {worst}, {error_ms:.1f} ms"


_HERE: Sequence[tuple[str, Callable[[_Seen], Found], str]] = (
    ("process", _process, "somebody starts the hub again if it falls"),
    ("store", _store, "turns, tokens and numbers survive a crash"),
    ("disk", _disk, f"{LEAST_FREE_MIB} MiB for the store, logs and traces"),
    ("clock", _clock, "logs, traces and certificates are dated by it"),
    ("ports", _ports, "clients reach every listener"),
)
"""Checks of the hub's machine."""
_ASKED: Sequence[tuple[str, Callable[[_Seen], Found], str]] = (
    ("hub", _answers, "it answers at all"),
    ("agents", _asked(_agents), "ears, stt, planner and tts hold a conversation"),
    ("processes", _asked(_processes), "no process falls again and again"),
    ("loops", _asked(_loops), f"p99 under {MOST_LATE_MS:.0f} ms, or speech has gaps"),
    ("robot clocks", _asked(_robot_clocks), "what has expired is not done"),
    ("promises", _asked(_promises), "the invariants of the design hold"),
)
"""Checks of what the hub says."""


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _table(found: Sequence[Check]) -> Table:
    table = Table()
    for column in ("check", "", "found", "for"):
        table.add_column(column, overflow="fold")
    words = {True: "[green]ok[/]", False: "[red]fails[/]", None: "[dim]–[/]"}
    for check in found:
        table.add_row(check.name, words[check.passed], escape(check.detail), check.purpose)
    return table
