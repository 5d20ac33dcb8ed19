"""Who may come in: tokens, tickets, signed tokens, and how often each may ask.

On loopback everything is open until the first credential exists; anywhere else nothing is served
without one. The credential decides which robot a connection is.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from starlette.requests import HTTPConnection

from hub.edge.credentials import credential_of, ticket_of
from hub.edge.pages import Pages
from hub.edge.pairings import Pairings
from hub.edge.rights import ALLOWED, Right
from hub.edge.throttle import Recent, Throttle, neighbourhood
from hub.edge.tickets import Tickets
from hub.errors import CredentialsMissing, NotAuthenticated, NotAuthorised, RateLimited
from hub.store.tokens import ANY_ROBOT, Grant, Scope, TokenInfo, UnknownToken, is_token

EVERYTHING = Grant("", ANY_ROBOT, Scope.ADMIN)
"""What a caller holds where no token is demanded."""

RATE_PER_MINUTE = 1_200
"""Requests a minute of one token, if neither it nor the settings say anything else."""
FAILURES_PER_MINUTE = 10
"""Different wrong credentials that one address may show."""


class Tokens(Protocol):
    """What the gate asks of the token store."""

    async def find(self, token: str) -> Grant | None: ...

    async def find_by_id(self, token_id: str) -> Grant | None: ...

    async def any_defined(self) -> bool: ...

    async def create(
        self, robot: str, label: str, scope: Scope | None = None, rate: int | None = None
    ) -> str: ...

    async def listed(self) -> tuple[TokenInfo, ...]: ...

    async def revoke(self, token_id: str) -> bool: ...


class SignedTokens(Protocol):
    """What the gate asks of the verifier of JSON Web Tokens."""

    def grant(self, token: str) -> Grant: ...


class Gate:
    """Decides over requests and connections.

    Args:
        tokens: the token store.
        loopback: every listener is bound to this machine alone.
        hosts: further names by which the hub may be called, without port.
        origins: further origins (``https://host:port``) whose pages may use the hub.
        api_origins: origins whose pages may use its models by HTTP, and nothing else of it.
        signed: verifies JSON Web Tokens, where there is a key for them.
        rate_per_minute: requests of a token that has no rate of its own; 0: as many as it likes.
        clock_s: monotonic seconds.
    """

    def __init__(
        self,
        tokens: Tokens,
        loopback: bool,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        api_origins: Iterable[str] = (),
        signed: SignedTokens | None = None,
        rate_per_minute: int = RATE_PER_MINUTE,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._loopback = loopback
        self._signed = signed
        self._clock_s = clock_s
        self.pages = Pages(loopback, hosts, origins, api_origins)
        self.tickets = Tickets(clock_s)
        self.pairings = Pairings(clock_s)
        self._requests = Throttle(rate_per_minute)
        self._failures = Throttle(FAILURES_PER_MINUTE, burst=FAILURES_PER_MINUTE)
        self._proven = Recent()
        self._wrong = Recent()

    async def new_token(
        self, robot: str, label: str, scope: Scope | None = None, rate: int | None = None
    ) -> str:
        """A token: of ``robot``, which somebody has let in, or of ``scope``.

        Raises:
            BadIdentity, BadToken: as ``hub.store.tokens.create``.
        """
        return await self._tokens.create(robot, label, scope, rate)

    async def tokens(self) -> tuple[TokenInfo, ...]:
        """All tokens of the store, without their secrets, the oldest first."""
        return await self._tokens.listed()

    async def revoke(self, token_id: str) -> None:
        """Make a token worthless from its next use on.

        Raises:
            UnknownToken: there is none of that id.
        """
        if not await self._tokens.revoke(token_id):
            raise UnknownToken(f"there is no token {token_id}")

    async def check_start(self) -> None:
        """Raises:
        CredentialsMissing: others can reach the hub, and no token exists that would let them in.
        """
        if not self._loopback and not await self._demanded():
            raise CredentialsMissing(
                "listening beyond this machine needs credentials: make one with"
                " `robot-hub tokens add`, or listen on 127.0.0.1"
            )

    async def admit(
        self,
        connection: HTTPConnection,
        robot: str | None = None,
        right: Right = Right.KNOW,
    ) -> Grant:
        """What the caller of ``connection`` may do; counts one request of its token.

        Raises:
            NotAuthenticated: a credential is demanded and there is none, or an unknown one.
            NotAuthorised: it does not cover ``right`` or ``robot``.
            RateLimited: its requests, or wrong credentials from its address, are too many.
        """
        grant = await self._grant_of(connection)
        if grant is not EVERYTHING:
            wait_s = self._requests.take(grant.id, self._clock_s(), grant.rate)
            if wait_s:
                raise RateLimited("the token makes more requests than it may", wait_s)
        if right not in ALLOWED[grant.scope]:
            raise NotAuthorised(f"a token of scope {grant.scope} does not cover this")
        if robot is not None and not grant.covers(robot):
            raise NotAuthorised(f"the token is not one for robot {robot}")
        return grant

    async def _grant_of(self, connection: HTTPConnection) -> Grant:
        if ticket := ticket_of(connection):
            return await self._redeemed(ticket, connection)
        token = credential_of(connection)
        if not token:
            if await self._is_open():
                return EVERYTHING
            raise NotAuthenticated("a token is needed: Authorization: Bearer … or X-API-Key: …")
        return await self._known(token, connection)

    async def _known(self, token: str, connection: HTTPConnection) -> Grant:
        """The grant of ``token``.

        Behind one address there may be a whole house of robots. So a token that was good before is
        looked up whatever others there did, and one that is wrong is held against its address
        once: a robot that comes back with a revoked token is no guesser.
        """
        digest = hashlib.sha256(token.encode()).digest()
        address = _address_of(connection)
        if digest not in self._proven:
            self._check_failures(address)
        try:
            grant = await self._looked_up(token)
        except NotAuthenticated:
            if await self._is_open():
                return EVERYTHING
            self._proven.forget(digest)
            if self._wrong.add(digest):
                self._failures.take(address, self._clock_s())
            raise
        self._proven.add(digest)
        return grant

    async def _looked_up(self, token: str) -> Grant:
        if self._signed is not None and not is_token(token):
            return self._signed.grant(token)
        grant = await self._tokens.find(token)
        if grant is None:
            raise NotAuthenticated("the token is unknown or revoked")
        return grant

    async def _redeemed(self, ticket: str, connection: HTTPConnection) -> Grant:
        address = _address_of(connection)
        self._check_failures(address)
        grant = self.tickets.redeem(ticket)
        if grant is None:
            self._failures.take(address, self._clock_s())
            raise NotAuthenticated("the ticket is unknown, used or older than 30 seconds")
        if grant is EVERYTHING:
            if not await self._is_open():
                raise NotAuthenticated("the ticket is older than the first token")
        elif is_stored(grant) and await self._tokens.find_by_id(grant.id) is None:
            raise NotAuthenticated("the token of this ticket was revoked")
        return grant

    def _check_failures(self, address: str) -> None:
        wait_s = self._failures.wait_s(address, self._clock_s())
        if wait_s:
            raise RateLimited("too many wrong credentials came from this address", wait_s)

    async def _is_open(self) -> bool:
        return self._loopback and not await self._demanded()

    async def _demanded(self) -> bool:
        return self._signed is not None or await self._tokens.any_defined()


def is_stored(grant: Grant) -> bool:
    """Whether ``grant`` is that of a token of the store, not of a signed one."""
    return not grant.id.startswith("jwt:")


def _address_of(connection: HTTPConnection) -> str:
    return neighbourhood(connection.client.host if connection.client is not None else "")
