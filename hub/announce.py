"""Makes the hub known in its network, so that a robot finds it without an address.

By zeroconf (extra ``supervisor``). Nothing is announced where only this machine can reach the hub,
unless it is asked for.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import structlog

from hub.settings import Settings
from protocols.announcement import SERVICE, record
from protocols.messages.robot import ROBOT_WIRE_VERSION

_HUB_ID_CHARS = 12

log = structlog.get_logger()


class Announcement(NamedTuple):
    """What is announced: which hub, where it listens, and whether by TLS."""

    hub_id: str
    host: str
    port: int
    tls: bool


def announcement_of(hub_id: str, settings: Settings, listener: socket.socket) -> Announcement:
    """What is announced of a hub of these settings whose own address is ``listener``'s."""
    port, tls = int(listener.getsockname()[1]), settings.hub_tls_cert is not None
    return Announcement(hub_id, settings.server_host, port, tls)


@asynccontextmanager
async def announcing(what: Announcement, wanted: bool | None) -> AsyncIterator[None]:
    """Announce the hub inside. ``wanted`` None: if others can reach it. A network that does not let
    it costs a warning, never the hub."""
    addresses = addresses_of(what.host)
    loopback = all(ipaddress.ip_address(address).is_loopback for address in addresses)
    if not addresses or wanted is False or (loopback and not wanted):
        yield
        return
    try:
        from zeroconf import Error, IPVersion, ServiceInfo
        from zeroconf.asyncio import AsyncZeroconf
    except ImportError:
        log.warning(
            "hub not announced", reason="zeroconf is not installed; install robot-hub[supervisor]"
        )
        yield
        return
    name = f"robot-hub-{what.hub_id.removeprefix('hub-')[:_HUB_ID_CHARS]}"
    info = ServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port=what.port,
        properties=record(what.hub_id, ROBOT_WIRE_VERSION, tls=what.tls),
        server=f"{name}.local.",
        parsed_addresses=addresses,
    )
    try:
        responder = AsyncZeroconf(interfaces=addresses, ip_version=IPVersion.V4Only)
    except OSError as error:
        log.warning("hub not announced", reason=str(error))
        yield
        return
    try:
        try:
            async with asyncio.timeout(10):
                await (await responder.async_register_service(info, allow_name_change=True))
            log.info("announced", service=info.name, addresses=addresses, port=what.port)
        except (Error, OSError, TimeoutError) as error:
            log.warning("hub not announced", reason=str(error) or type(error).__name__)
        yield
    finally:
        await responder.async_close()


def addresses_of(host: str) -> list[str]:
    """The IPv4 addresses at which others reach a hub that listens on ``host``."""
    bare = host.strip("[]")
    if bare not in ("0.0.0.0", "::", ""):
        try:
            found = socket.getaddrinfo(bare, None, socket.AF_INET, socket.SOCK_STREAM)
        except OSError:
            return []
        return sorted({str(each[4][0]) for each in found})
    try:
        import ifaddr
    except ImportError:
        return ["127.0.0.1"]
    every = [ip.ip for card in ifaddr.get_adapters() for ip in card.ips if isinstance(ip.ip, str)]
    beyond = sorted(ip for ip in every if not ipaddress.ip_address(ip).is_loopback)
    return beyond or ["127.0.0.1"]
