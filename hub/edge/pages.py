"""Which pages may make a browser use the hub, and which names it may be called by. Pure.

A browser tells where a page comes from (``Origin``) and whom it believes to speak to (``Host``).
Everybody else tells neither or is free to lie, and needs a token.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from hub.edge.rights import Right, demanded

_FOR_API = frozenset({Right.KNOW, Right.USE})
_ROBOTS_TOO = ("/tickets", "/mcp")
"""Paths that open to more than models."""


class Pages:
    """Decides over ``Host`` and ``Origin``; arguments as those of ``Gate``."""

    def __init__(
        self,
        loopback: bool,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        api_origins: Iterable[str] = (),
    ) -> None:
        self._loopback = loopback
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins if origin)
        self._api = frozenset(origin.lower().rstrip("/") for origin in api_origins if origin)

    @property
    def cross_origins(self) -> frozenset[str]:
        """Every origin whose pages may do anything at all here."""
        return self._origins | self._api

    def is_foreign(self, connection: HTTPConnection) -> bool:
        """Whether a page of another site made a browser call the hub, by its own address or by a
        name that was pointed at ours."""
        authorities = connection.headers.getlist("host")
        if len(authorities) > 1:
            return True
        authority = "".join(authorities)
        host = _host_name(f"//{authority}")
        origin = connection.headers.get("origin")
        if origin is None:
            return self._loopback and bool(host) and not self._is_our_name(host)
        if origin.lower() in self._origins:
            return False
        if origin.lower() in self._api and _uses_models(connection):
            return False
        return not self._is_our_name(host) or _authority(origin) != authority.lower()

    def _is_our_name(self, host: str) -> bool:
        return host == "localhost" or host in self._hosts or _is_address(host)


def _uses_models(connection: HTTPConnection) -> bool:
    """Whether this is an HTTP request for a model's work; a preflight asks for the one after it."""
    if connection.scope["type"] != "http":
        return False
    method = connection.scope["method"]
    if method == "OPTIONS":
        method = connection.headers.get("access-control-request-method", method)
    path = connection.scope["path"]
    if path.rstrip("/").endswith(_ROBOTS_TOO):
        return False
    return demanded(method.upper(), path) in _FOR_API


def _authority(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _host_name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
