"""Tickets: a browser cannot put a header on a WebSocket, so it shows one of these in the URL.

A ticket is worth one connection, for 30 seconds, with what its buyer's token allows. What a log
keeps of the URL is then worth nothing.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from hub.errors import Busy
from hub.store.tokens import Grant

LIFE_S = 30
MOST_TICKETS = 4_096
"""Unused tickets at once, of all callers."""
MOST_OF_ONE = 64
"""Unused tickets of one caller."""


class _Ticket(NamedTuple):
    grant: Grant
    until_s: float


class Tickets:
    """Those that were issued and not used.

    Args:
        clock_s: monotonic seconds.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._issued: OrderedDict[bytes, _Ticket] = OrderedDict()

    def issue(self, grant: Grant) -> str:
        """A new ticket that allows what ``grant`` does.

        Raises:
            Busy: too many wait to be used.
        """
        self._forget_old()
        held = sum(1 for ticket in self._issued.values() if ticket.grant.id == grant.id)
        if held >= MOST_OF_ONE or len(self._issued) >= MOST_TICKETS:
            raise Busy("too many tickets wait to be used", retry_after_s=LIFE_S)
        ticket = secrets.token_urlsafe(32)
        self._issued[_digest(ticket)] = _Ticket(grant, self._clock_s() + LIFE_S)
        return ticket

    def redeem(self, ticket: str) -> Grant | None:
        """What ``ticket`` allows, once; None if it is unknown, used or too old."""
        self._forget_old()
        found = self._issued.pop(_digest(ticket), None)
        return None if found is None else found.grant

    def _forget_old(self) -> None:
        """All live equally long, so that the oldest stand first."""
        now_s = self._clock_s()
        while self._issued and next(iter(self._issued.values())).until_s <= now_s:
            self._issued.popitem(last=False)


def _digest(ticket: str) -> bytes:
    """What is looked up is no part of the secret: how long a look-up takes tells nothing of it."""
    return hashlib.sha256(ticket.encode()).digest()
