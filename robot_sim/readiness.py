"""Waits until a hub can hold a conversation, and says what it waits for."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from robot_sim.errors import HubNotReady

_POLL_S = 0.2


async def wait_until_ready(
    base_url: str, tell: Callable[[str], None], token: str | None = None, timeout_s: float = 120.0
) -> None:
    """Poll ``GET /readyz`` until it answers 200; ``tell`` hears of every change on the way.

    Raises:
        HubNotReady: it did not within ``timeout_s``.
    """
    url = f"{_http_base(base_url)}/readyz"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    told = ""
    try:
        async with asyncio.timeout(timeout_s), httpx.AsyncClient(trust_env=False) as client:
            while True:
                ready, state = await _probe(client, url, headers)
                if state != told:
                    told = state
                    tell(state)
                if ready:
                    return
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise HubNotReady(
            f"the hub at {base_url} is not ready after {timeout_s:.0f} s: {told}"
        ) from None


async def _probe(client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> tuple[bool, str]:
    try:
        answer = await client.get(url, headers=headers)
        body = answer.json()
    except httpx.HTTPError:
        return False, "waiting for the hub"
    except ValueError:
        return False, "something else answers there"
    return answer.status_code == httpx.codes.OK, described(body)


def described(body: Any) -> str:
    """The agents and their states, from the body of ``/readyz``."""
    agents = body.get("agents") if isinstance(body, dict) else None
    if not isinstance(agents, dict) or not agents:
        return "no agents yet"
    return ", ".join(f"{name} {_state(agents[name])}" for name in sorted(agents))


def _state(agent: Any) -> str:
    if not isinstance(agent, dict):
        return str(agent)
    backend = agent.get("backend")
    return f"{agent.get('state', '?')}" + (f" ({backend})" if backend else "")


def _http_base(url: str) -> str:
    base = url.rstrip("/")
    return "http" + base.removeprefix("ws") if base.startswith("ws") else base
