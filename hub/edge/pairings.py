"""Robots that want in: each has a code of six digits, and waits until somebody confirms it.

As in the device flow of OAuth (RFC 8628): the robot shows the code that it was given, a person who
sees the robot types it at the hub, and the robot, which alone knows the secret of its request,
fetches its token. A request is worth two minutes and one token. Pure: time is an argument.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import NamedTuple

from hub.edge.throttle import Throttle
from hub.errors import Busy, RateLimited
from protocols.errors import HubError

LIFE_S = 120
MOST_WAITING = 16
"""Requests at once, of all robots."""
BEGUN_PER_MINUTE = 6
"""Requests of one address; one that is over gives its robot no reason to ask faster."""
ASKED_PER_MINUTE = 120
"""How often robots of one address may ask whether they were confirmed."""
WRONG_PER_MINUTE = 10
"""Wrong codes, of all who type: a code is one in a million, and lives two minutes."""
_DIGITS = 6


class UnknownPairing(HubError):
    """There is no such request: it is over, its token was fetched, or the code is wrong."""

    code = "unknown_pairing"


class Waiting(NamedTuple):
    """A robot that wants in, as whoever may confirm it sees it."""

    robot: str
    code: str
    address: str
    expires_in_s: int


class Begun(NamedTuple):
    """What a robot is told: the secret to ask with, and the code to show."""

    secret: str
    code: str


class Confirmed(NamedTuple):
    """A request that somebody confirmed, and whose token nobody has yet."""

    robot: str
    address: str


class _Request:
    __slots__ = ("address", "code", "digest", "is_confirmed", "robot", "until_s")

    def __init__(self, robot: str, address: str, code: str, digest: bytes, until_s: float) -> None:
        self.robot = robot
        self.address = address
        self.code = code
        self.digest = digest
        self.until_s = until_s
        self.is_confirmed = False


def _random_code() -> str:
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"


class Pairings:
    """The requests there are.

    Args:
        clock_s: monotonic seconds.
        new_code: six random digits.
    """

    def __init__(
        self, clock_s: Callable[[], float], new_code: Callable[[], str] = _random_code
    ) -> None:
        self._clock_s = clock_s
        self._new_code = new_code
        self._requests: list[_Request] = []
        self._begun = Throttle(BEGUN_PER_MINUTE, burst=BEGUN_PER_MINUTE)
        self._asked = Throttle(ASKED_PER_MINUTE, burst=ASKED_PER_MINUTE)
        self._wrong = Throttle(WRONG_PER_MINUTE, burst=WRONG_PER_MINUTE)

    def begin(self, robot: str, address: str) -> Begun:
        """A robot asks; its older request from the same address is over.

        Raises:
            RateLimited: its address asks too often.
            Busy: too many robots wait already.
        """
        now_s = self._clock_s()
        if wait_s := self._begun.take(address, now_s):
            raise RateLimited("too many pairings were begun from this address", wait_s)
        self._forget(lambda one: (one.robot, one.address) == (robot, address))
        if len(self._requests) >= MOST_WAITING:
            raise Busy("too many robots wait to be paired", retry_after_s=LIFE_S)
        secret, code = secrets.token_urlsafe(32), self._new_code()
        while any(one.code == code for one in self._requests):
            code = self._new_code()
        self._requests.append(_Request(robot, address, code, _digest(secret), now_s + LIFE_S))
        return Begun(secret, code)

    def waiting(self) -> tuple[Waiting, ...]:
        """Those that nobody has confirmed, the oldest first."""
        self._forget()
        now_s = self._clock_s()
        return tuple(
            Waiting(one.robot, one.code, one.address, round(one.until_s - now_s))
            for one in self._requests
            if not one.is_confirmed
        )

    def confirm(self, code: str) -> str:
        """Somebody has typed ``code``; the robot that shows it.

        Raises:
            RateLimited: too many codes were wrong.
            UnknownPairing: no robot shows it now.
        """
        now_s = self._clock_s()
        if wait_s := self._wrong.wait_s("", now_s):
            raise RateLimited("too many codes were wrong", wait_s)
        self._forget()
        for one in self._requests:
            if not one.is_confirmed and hmac.compare_digest(one.code.encode(), code.encode()):
                one.is_confirmed = True
                return one.robot
        self._wrong.take("", now_s)
        raise UnknownPairing("no robot that waits now shows this code")

    def collect(self, secret: str, address: str) -> Confirmed | None:
        """The robot asks for its token: None while nobody has confirmed it; else it is over.

        Raises:
            RateLimited: its address asks too often.
            UnknownPairing: there is no request of this secret.
        """
        if wait_s := self._asked.take(address, self._clock_s()):
            raise RateLimited("robots of this address ask too often", wait_s)
        self._forget()
        digest = _digest(secret)
        for one in self._requests:
            if hmac.compare_digest(one.digest, digest):
                if not one.is_confirmed:
                    return None
                self._requests.remove(one)
                return Confirmed(one.robot, one.address)
        raise UnknownPairing("the pairing is over: begin another one")

    def _forget(self, also: Callable[[_Request], bool] = lambda one: False) -> None:
        now_s = self._clock_s()
        self._requests = [one for one in self._requests if one.until_s > now_s and not also(one)]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
