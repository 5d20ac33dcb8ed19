"""Old ports and the base paths that they open onto, as a person writes them: ``8000=fictures``. Pure."""

import re
from ipaddress import ip_address
from typing import NamedTuple

FAMILIES = ("robot-buddy", "auraos", "wespoke", "fictures", "localai")
"""Systems whose APIs the hub speaks; each has its base path of that name."""

_WRITTEN = re.compile(
    r"(?:(?P<host>\[[^\]]+\]|[^\s\[\]:=]+):)?(?P<port>\d{1,5})=(?P<family>[\w-]+)"
)


class Listen(NamedTuple):
    """A listener of its own. ``host`` is empty where the hub's own is meant."""

    host: str
    port: int
    family: str

    @property
    def base(self) -> str:
        """The path that stands before all paths that are asked for at this port."""
        return f"/{self.family}"


def listen_of(text: str) -> Listen:
    """``port=family`` or ``host:port=family``.

    Raises:
        ValueError: it is not written so, or there is no such port or family.
    """
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise ValueError(f"names {text!r}; a listener is like 8000=fictures or 0.0.0.0:8081=auraos")
    host, port, family = written["host"] or "", int(written["port"]), written["family"]
    if port > 65_535:
        raise ValueError(f"names port {port}; the highest is 65535")
    if family not in FAMILIES:
        raise ValueError(f"names {family!r}; base paths are {', '.join(FAMILIES)}")
    return Listen(host, port, family)


def checked_listens(texts: tuple[str, ...]) -> tuple[str, ...]:
    """``texts``.

    Raises:
        ValueError: one of them is no listener, or two of them are the same.
    """
    seen: set[tuple[str, int]] = set()
    for text in texts:
        host, port, _ = listen_of(text)
        if port and (host, port) in seen:
            raise ValueError(f"names port {port} twice")
        seen.add((host, port))
    return texts


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on ``host``."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
