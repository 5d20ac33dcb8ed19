"""``robot-hub load``: many simulated robots converse at once with a hub in bench mode."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from hub.commands.check_trace import check_trace
from hub.commands.client import Address
from hub.commands.own_hub import OwnHub, own_hub
from hub.commands.simulator import entry
from hub.settings import Settings
from protocols.errors import HubError


class NoTraceToCheck(HubError):
    """A trace is to be checked, and there is none; the text says why."""

    code = "no_trace_to_check"


def load(
    settings: Settings, url: str | None, choices: Mapping[str, Any], *, trace: bool | None
) -> int:
    """Run a fleet and return the exit code: 0 if all went as it should, else 1.

    Args:
        settings: the credential; for a hub of its own also where it keeps its data.
        url: the hub; None starts one.
        choices: fields of the simulator's ``LoadOrder``, without those left to their defaults.
        trace: whether its own hub is traced and the trace checked; None means yes.

    Raises:
        HubError: a choice cannot be meant, or there is no hub in bench mode.
    """
    order, run = entry("load_order"), entry("load")
    if settings.hub_token is not None:
        choices = {**choices, "token": settings.hub_token.get_secret_value()}
    if url is not None:
        if trace:
            raise NoTraceToCheck("--trace is for a hub of its own: one at --hub keeps its trace")
        code: int = run(order(hub_url=Address.of(settings, url).url, **choices))
        return code
    order(hub_url="", **choices)  # what cannot be meant is refused before a hub is started
    traced = None if trace is False else "1"
    with own_hub(settings, hub_bench=True, hub_trace=traced) as hub:
        older = _traces_of(hub)
        code = run(order(hub_url=hub.url, supervisor_pid=hub.supervisor.pid, **choices))
        hub.stop()
        if hub.traces is None:
            return code
        written = [path for path in _traces_of(hub) if path not in older]
        if not written:
            raise NoTraceToCheck(f"the hub wrote no trace; it said:\n{hub.last_words()}")
        return max(code, check_trace(written, Console()))


def _traces_of(hub: OwnHub) -> list[Path]:
    return sorted(hub.traces.glob("*.mcap")) if hub.traces is not None else []
