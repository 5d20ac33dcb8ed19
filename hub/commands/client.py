"""Commands that ask a hub which already runs."""

from typing import Any, NamedTuple

import httpx
from rich.console import Console
from rich.table import Table

from hub.settings import Settings
from protocols.errors import HubError

CONNECT_TIMEOUT_S = 5.0
SAY_TIMEOUT_S = 120.0

_COLOURS = {"ready": "green", "loading": "yellow", "draining": "yellow"}


class HubUnreachable(HubError):
    """No hub answers at the address."""

    code = "hub_unreachable"


class HubRefused(HubError):
    """The hub answers, and says no."""

    code = "hub_refused"


class Address(NamedTuple):
    """Where a hub is, and the credential it is shown."""

    url: str
    token: str | None = None

    @classmethod
    def of(cls, settings: Settings, url: str | None) -> "Address":
        """``url``, else where a hub with these settings listens."""
        token = settings.hub_token.get_secret_value() if settings.hub_token else None
        if url is None:
            host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(
                settings.server_host, settings.server_host
            )
            scheme = "https" if settings.hub_tls_cert else "http"
            url = f"{scheme}://{host}:{settings.server_port}"
        return cls(url.rstrip("/"), token)


def answers(address: Address) -> bool:
    """Whether a hub runs at ``address``; one whose certificate is not trusted here counts as none."""
    try:
        return request(address, "GET", "/livez", None, CONNECT_TIMEOUT_S) == {"alive": True}
    except HubError:
        return False


def request(
    address: Address, method: str, path: str, body: dict[str, Any] | None, timeout_s: float
) -> dict[str, Any]:
    """The hub's JSON answer.

    Raises:
        HubUnreachable: nobody answers there.
        HubRefused: the answer is an error.
    """
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    timeout = httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S)
    try:
        answer = httpx.request(
            method,
            f"{address.url}{path}",
            json=body,
            headers=headers,
            timeout=timeout,
            trust_env=False,  # a hub is on this network: no proxy is the way to it
        )
        document: dict[str, Any] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise HubUnreachable(f"no hub answers at {address.url}: {reason}") from None
    except ValueError:
        raise HubUnreachable(f"what answers at {address.url} is no Robot Hub") from None
    if answer.is_error:
        detail = document.get("detail") or document.get("error") or answer.reason_phrase
        raise HubRefused(f"the hub at {address.url} refused ({answer.status_code}): {detail}")
    return document


def show_status(address: Address, console: Console) -> None:
    """Print the state of a running hub; raises as ``request`` does."""
    document = request(address, "GET", "/status", None, CONNECT_TIMEOUT_S)
    ready = "[green]ready[/]" if document.get("ready") else "[yellow]not ready[/]"
    if document.get("draining"):
        ready = "[yellow]draining[/]"
    console.print(f"Robot Hub {document.get('version', '')} at {address.url}: {ready}")
    if document.get("recording"):
        console.print("[red]recording[/]: what is said is kept")
    for name, why in document.get("degraded", {}).items():
        console.print(f"[red]degraded[/]: {name} {why}", highlight=False)
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


def say(address: Address, robot: str, text: str) -> str:
    """Let a connected robot say ``text``; return how its turn ended. Raises as ``request``."""
    body = {"robot_id": robot, "text": text}
    outcome: str = request(address, "POST", "/say", body, SAY_TIMEOUT_S)["outcome"]
    return outcome


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
