"""What a hub counts, read from its ``GET /metrics``."""

import re
from collections.abc import Mapping

import httpx

_TIMEOUT_S = 5.0
_EVENT = re.compile(r'^hub_events_total\{name="([^"]+)"\} (\S+)$', re.MULTILINE)


async def read_events(url: str, token: str | None) -> dict[str, int]:
    """The hub's counters of what did not go as it should, by name; empty if it does not answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    base = "http" + url.removeprefix("ws") if url.startswith("ws") else url
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_S) as client:
            answer = await client.get(f"{base.rstrip('/')}/metrics", headers=headers)
    except httpx.HTTPError:
        return {}
    return parse_events(answer.text) if answer.is_success else {}


def parse_events(text: str) -> dict[str, int]:
    """The same, from the answer's text."""
    return {name: int(float(value)) for name, value in _EVENT.findall(text)}


def news(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What was counted in between. A hub that was restarted counts from zero again."""
    grown = {name: n - before.get(name, 0) for name, n in after.items()}
    return {name: n if n >= 0 else after[name] for name, n in grown.items() if n}
