"""How a hub makes itself known in its network: by DNS-SD over mDNS (RFC 6762, RFC 6763)."""

from collections.abc import Mapping
from typing import NamedTuple

SERVICE = "_robot-hub._tcp.local."
HUB_ID, WIRE, TLS = "hub_id", "wire", "tls"
"""Keys of the TXT record: which hub, the version of the robot wire, 1 if it speaks TLS."""


class Announced(NamedTuple):
    """A hub that was found."""

    hub_id: str
    url: str
    """Its base for robots, ``ws(s)://host:port``."""


def record(hub_id: str, wire: int, *, tls: bool) -> dict[str, str]:
    """The TXT record of a hub."""
    return {HUB_ID: hub_id, WIRE: str(wire), TLS: "1" if tls else "0"}


def announced(address: str, port: int, txt: Mapping[str, str]) -> Announced | None:
    """The hub that a service is; None for one that does not say which."""
    hub_id = txt.get(HUB_ID, "")
    if not hub_id:
        return None
    host = f"[{address}]" if ":" in address else address
    scheme = "wss" if txt.get(TLS) == "1" else "ws"
    return Announced(hub_id, f"{scheme}://{host}:{port}")
