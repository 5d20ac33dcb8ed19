"""Who may come in: tokens, and for browsers the page they come from.

On loopback everything is open until the first token is made; anywhere else nothing is served
without one. The credential decides which robot a connection is.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from hub.errors import CredentialsMissing, NotAuthorised
from hub.store.tokens import ANY_ROBOT, Grant

EVERYTHING = Grant("", ANY_ROBOT)
"""What a caller holds where no token is demanded."""


class Tokens(Protocol):
    """What the gate asks of the token store."""

    async def find(self, token: str) -> Grant | None: ...

    async def any_defined(self) -> bool: ...


class Gate:
    """Decides over requests and connections.

    Args:
        tokens: the token store.
        loopback: every listener is bound to this machine alone.
        hosts: further names by which the hub may be called, without port.
        origins: further origins (``https://host:port``) whose pages may use the hub.
    """

    def __init__(
        self,
        tokens: Tokens,
        loopback: bool,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
    ) -> None:
        self._tokens = tokens
        self._loopback = loopback
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower() for origin in origins)

    async def check_start(self) -> None:
        """Raises:
        CredentialsMissing: others can reach the hub, and no token exists that would let them in.
        """
        if not self._loopback and not await self._tokens.any_defined():
            raise CredentialsMissing(
                "listening beyond this machine needs credentials: make one with"
                " `robot-hub tokens add`, or listen on 127.0.0.1"
            )

    async def admit(self, connection: HTTPConnection, robot: str | None = None) -> Grant:
        """What the caller of ``connection`` may do.

        Raises:
            NotAuthorised: a token is demanded and there is none, an unknown one, or one that does
                not cover ``robot``.
        """
        token = _token_of(connection)
        if not token:
            if self._loopback and not await self._tokens.any_defined():
                return EVERYTHING
            raise NotAuthorised("a token is needed: Authorization: Bearer … or ?token=…")
        grant = await self._tokens.find(token)
        if grant is None:
            if self._loopback and not await self._tokens.any_defined():
                return EVERYTHING
            raise NotAuthorised("the token is unknown or revoked")
        if robot is not None and not grant.covers(robot):
            raise NotAuthorised(f"the token is not one for robot {robot}")
        return grant

    def is_foreign(self, connection: HTTPConnection) -> bool:
        """Whether a page of another site made a browser call the hub, by its own address or by a
        name that was pointed at ours."""
        host = _host_name(f"//{connection.headers.get('host', '')}")
        origin = connection.headers.get("origin")
        if origin is None:
            return self._loopback and bool(host) and not self._is_our_name(host)
        if origin.lower() in self._origins:
            return False
        return not self._is_our_name(host) or _authority(origin) != _authority(
            f"//{connection.headers.get('host', '')}"
        )

    def _is_our_name(self, host: str) -> bool:
        return host == "localhost" or host in self._hosts or _is_address(host)


def _token_of(connection: HTTPConnection) -> str:
    scheme, _, credential = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credential:
        return credential.strip()
    return connection.query_params.get("token", "")


def _authority(url: str) -> str:
    return urlsplit(url).netloc.lower()


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
