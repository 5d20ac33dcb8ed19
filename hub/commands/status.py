"""``robot-hub status``: whether the hub runs and since when, its agents, its robots, its counters."""

from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hub import pidfile
from hub.commands.client import CONNECT_TIMEOUT_S, Address, FoundHub, HubUnreachable, request

ANSWERS, SILENT, NOT_RUNNING = 0, 1, 3
"""Exit codes, as a service manager's ``status`` has them."""
_COLOURS = {"ready": "green", "loading": "yellow", "draining": "yellow"}


def show_status(hub: FoundHub, console: Console) -> int:
    """Print the state of ``hub``; return the exit code.

    Raises:
        HubUnreachable: nobody answers at a URL that was given.
        HubRefused: the hub answers, and says no.
    """
    address, record = hub.address, hub.record
    try:
        document = request(address, "GET", "/status", None, CONNECT_TIMEOUT_S)
    except HubUnreachable as error:
        if not hub.is_here:
            raise
        if record is None:
            console.print(
                "Robot Hub is not running there with the data directory"
                f" {hub.settings.hub_data_dir}: {error}",
                highlight=False,
            )
            return NOT_RUNNING
        console.print(f"Robot Hub {_since(record)}, and {error}", highlight=False)
        return SILENT
    show(document, address, record, console)
    return ANSWERS


def show(
    document: dict[str, Any], address: Address, record: pidfile.Record | None, console: Console
) -> None:
    """Print what a hub says of itself, and its supervisor ``record``, if it is known."""
    ready = "[green]ready[/]" if document.get("ready") else "[yellow]not ready[/]"
    if document.get("draining"):
        ready = "[yellow]draining[/]"
    console.print(f"Robot Hub {document.get('version', '')} at {address.url}: {ready}")
    if record is not None:
        console.print(_since(record), highlight=False)
        if record.log:
            console.print(f"log: {record.log}", highlight=False)
    if document.get("recording"):
        console.print("[red]recording[/]: what is said is kept")
    for name, why in document.get("degraded", {}).items():
        console.print(f"[red]degraded[/]: {name} {why}", highlight=False)
    for robot, why in document.get("profiles_refused", {}).items():
        console.print(f"[red]profile refused[/]: {escape(f'{robot}: {why}')}", highlight=False)
    broken = {name: n for name, n in document.get("violations", {}).items() if n}
    if broken:
        listed = ", ".join(f"{name} {n} times" for name, n in broken.items())
        console.print(f"[red]broken invariants[/]: {listed}")
    console.print(_agents(document.get("agents", {})))
    robots = document.get("robots", [])
    console.print(f"robots: {', '.join(robots) if robots else 'none'}")
    counters = {name: n for name, n in document.get("counters", {}).items() if n}
    if counters:
        console.print(_counters(counters))


def _since(record: pidfile.Record) -> str:
    age = timedelta(seconds=int(record.age_s))
    return f"runs for {age} (h:mm:ss) as process {record.pid}"


def _agents(agents: dict[str, dict[str, Any]]) -> Table:
    table = Table("agent", "role", "state", "backend", "model", "load")
    for instance, agent in agents.items():
        state = str(agent.get("state", ""))
        table.add_row(
            instance,
            str(agent.get("role", "")),
            f"[{_COLOURS.get(state, 'red')}]{state}[/]",
            str(agent.get("backend", "")),
            str(agent.get("model", "")),
            f"{agent.get('active', 0)} of {agent.get('capacity', 0)}",
        )
    return table


def _counters(counters: dict[str, int]) -> Table:
    table = Table("counted", "times")
    for name, times in sorted(counters.items()):
        table.add_row(name, str(times))
    return table
