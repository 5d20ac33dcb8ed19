"""``robot-hub models load|unload``: which model an agent of a running hub serves with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
from rich import filesize
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from hub.commands.client import CONNECT_TIMEOUT_S, Address, HubRefused, HubUnreachable, request
from protocols.errors import HubError

_COLOURS = {"ready": "green", "loading": "yellow", "failed": "red"}


class LoadFailed(HubError):
    """The agent could not do it; what it served with before it serves with still."""

    code = "load_failed"


def load(address: Address, kind: str, model: str, console: Console, role: str = "primary") -> None:
    """Let the agent of ``kind`` serve with ``model``, and show how far it is.

    Raises:
        HubUnreachable, HubRefused: as ``client.request``.
        LoadFailed: the agent could not.
    """
    _order(address, "load", {"kind": kind, "role": role, "model": model}, console)
    console.print(f"{kind} serves with [bold]{model}[/]", highlight=False)


def unload(address: Address, kind: str, console: Console, role: str = "primary") -> None:
    """Free the memory of that agent's engine. Raises as ``load``."""
    _order(address, "unload", {"kind": kind, "role": role}, console)
    console.print(f"{kind} has no model in memory", highlight=False)


def show_loaded(address: Address, console: Console) -> None:
    """Print what each agent of a running hub has loaded. Raises as ``client.request``."""
    agents = request(address, "GET", "/status", None, CONNECT_TIMEOUT_S).get("agents", {})
    table = Table("agent", "backend", "model", "in memory", "MiB", "now")
    for instance, agent in agents.items():
        state = str(agent.get("model_state", ""))
        colour = _COLOURS.get(state, "default")
        table.add_row(
            instance,
            str(agent.get("backend", "")),
            str(agent.get("model", "")),
            f"[{colour}]{state}[/]" if state else "always",
            str(agent.get("memory_mib", "")),
            str(agent.get("progress", "") or agent.get("model_detail", "")),
        )
    console.print(table)


def _order(address: Address, what: str, body: dict[str, str], console: Console) -> None:
    with _answers(address, f"/models/{what}", body) as lines, _Bars(console) as bars:
        for line in lines:
            status = line.get("status")
            if status == "done":
                return
            if status is not None:
                raise LoadFailed(f"{line.get('detail') or line.get('code')} ({line.get('code')})")
            bars.show(line)
    raise LoadFailed("the hub ended before its agent had answered")


@contextmanager
def _answers(address: Address, path: str, body: dict[str, str]) -> Iterator[Iterator[Any]]:
    """The lines of the hub's streamed answer, decoded."""
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    # A load takes as long as it takes; the hub ends the answer when its agent is gone.
    timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=False) as client,
            client.stream("POST", f"{address.url}{path}", json=body, headers=headers) as answer,
        ):
            if answer.is_error:
                raise _refusal(address, answer)
            yield (msgspec.json.decode(line) for line in answer.iter_lines() if line)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise HubUnreachable(f"no hub answers at {address.url}: {reason}") from None
    except msgspec.DecodeError:
        raise HubUnreachable(f"what answers at {address.url} is no Robot Hub") from None


def _refusal(address: Address, answer: httpx.Response) -> HubError:
    answer.read()
    try:
        document = answer.json()
        detail = document.get("detail") or document.get("error")
    except (ValueError, AttributeError):
        return HubUnreachable(f"what answers at {address.url} is no Robot Hub")
    if isinstance(detail, list) and detail:  # a value that the body may not have
        detail = f"{detail[0]['loc'][-1]}: {detail[0]['msg']}"
    return HubRefused(f"the hub at {address.url} refused ({answer.status_code}): {detail}")


class _Bars:
    """One bar for each step that the agent tells of; the steps before are then complete."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[amount]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._complete()
        self._progress.stop()

    def show(self, line: Any) -> None:
        """A line of progress: ``step``, ``done`` of ``total`` (0 unknown) in ``unit``."""
        step = str(line.get("step", ""))
        done, total = float(line.get("done", 0)), float(line.get("total", 0))
        if step not in self._bars:
            self._complete()
            self._bars[step] = self._progress.add_task(step, total=total or None, amount="")
        self._progress.update(
            self._bars[step],
            completed=done,
            total=total or None,
            amount=_amount(done, total, str(line.get("unit", ""))),
        )

    def _complete(self) -> None:
        for bar in self._bars.values():
            self._progress.update(bar, total=1, completed=1)


def _amount(done: float, total: float, unit: str) -> str:
    if not total:
        return ""
    if unit == "bytes":
        return f"{filesize.decimal(int(done))} of {filesize.decimal(int(total))}"
    return f"{done:g} of {total:g} {unit}".strip()
