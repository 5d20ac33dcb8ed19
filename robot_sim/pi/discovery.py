"""Finds the hub in the robot's network by its announcement (mDNS), by zeroconf."""

import asyncio
from collections.abc import Sequence
from typing import Any

from protocols.announcement import SERVICE, Announced, announced
from robot_sim.errors import NoHubFound

FIND_S = 5.0
SETTLE_S = 0.7
"""After the first hub was heard, others may still answer."""
_ANSWER_MS = 2_000


async def find(
    hub_id: str = "", timeout_s: float = FIND_S, interfaces: Sequence[str] | None = None
) -> Announced:
    """The hub of ``hub_id``; without one, the only hub there is. ``interfaces`` by their
    addresses, None: all.

    Raises:
        NoHubFound: none answered within ``timeout_s``, or several did and nothing says which.
    """
    found: dict[str, Announced] = {}
    heard = asyncio.Event()
    try:
        async with asyncio.timeout(timeout_s), _Listener(found, heard, interfaces):
            while not hub_id or hub_id not in found:
                await heard.wait()
                heard.clear()
                if not hub_id:
                    await asyncio.sleep(SETTLE_S)
                    break
    except TimeoutError:
        pass
    return chosen(found, hub_id, timeout_s)


def chosen(found: dict[str, Announced], hub_id: str, timeout_s: float) -> Announced:
    """The hub among those that were found; raises as ``find``."""
    if hub_id:
        if hub_id in found:
            return found[hub_id]
        raise NoHubFound(
            f"the hub {hub_id} that this robot is paired with did not answer within {timeout_s:g} s"
        )
    if not found:
        raise NoHubFound(f"no hub announced itself within {timeout_s:g} s; name one by --hub")
    if len(found) > 1:
        there = ", ".join(f"{hub.url} ({hub.hub_id})" for hub in found.values())
        raise NoHubFound(f"there are several hubs, name one by --hub: {there}")
    return next(iter(found.values()))


class _Listener:
    """Hears announcements inside its context."""

    def __init__(
        self, found: dict[str, Announced], heard: asyncio.Event, interfaces: Sequence[str] | None
    ) -> None:
        self._found = found
        self._heard = heard
        self._interfaces = interfaces
        self._names: asyncio.Queue[str] = asyncio.Queue()
        self._group = asyncio.TaskGroup()
        self._reader: asyncio.Task[None] | None = None
        self._library: Any = None
        self._responder: Any = None
        self._browser: Any = None

    async def __aenter__(self) -> None:
        try:
            from zeroconf import IPVersion
            from zeroconf import asyncio as library
        except ImportError as error:
            raise NoHubFound(
                "zeroconf is not installed; install robot-hub[supervisor], or name a hub by --hub"
            ) from error
        self._library = library
        where: dict[str, Any] = (
            {} if self._interfaces is None else {"interfaces": list(self._interfaces)}
        )
        self._responder = library.AsyncZeroconf(ip_version=IPVersion.V4Only, **where)
        self._browser = library.AsyncServiceBrowser(
            self._responder.zeroconf, SERVICE, handlers=[self._changed]
        )
        await self._group.__aenter__()
        self._reader = self._group.create_task(self._read())

    async def __aexit__(self, *exc: Any) -> None:
        if self._reader is not None:
            self._reader.cancel()
        await self._group.__aexit__(None, None, None)
        await self._browser.async_cancel()
        await self._responder.async_close()

    def _changed(self, zeroconf: Any, service_type: str, name: str, state_change: Any) -> None:
        self._names.put_nowait(name)

    async def _read(self) -> None:
        while True:
            info = self._library.AsyncServiceInfo(SERVICE, await self._names.get())
            if not await info.async_request(self._responder.zeroconf, _ANSWER_MS):
                continue
            txt = {
                key.decode("ascii", "replace"): (value or b"").decode("ascii", "replace")
                for key, value in info.properties.items()
            }
            for address in info.parsed_addresses():
                if (hub := announced(address, info.port or 0, txt)) is not None:
                    self._found.setdefault(hub.hub_id, hub)
                    self._heard.set()
