"""Whether and when a robot comes back after its connection is gone."""

import random
from typing import NamedTuple

REPLACED = 4001
NOT_AUTHORISED = 4003
WRONG_WIRE_VERSION = 4011
DRAINING = 4010
MOVED = 4012
LOST = 1006
"""Stands for a connection that ended without a close frame, or never came about."""
NO_ROBOT_ID = 4400
DUEL = 4409
_FINAL = {
    REPLACED: "another connection of this robot has taken over",
    NOT_AUTHORISED: "the hub does not authorise this robot",
    WRONG_WIRE_VERSION: "the hub speaks another version of the wire",
    NO_ROBOT_ID: "the hub does not accept this robot id",
}
_AT_ONCE_S, _FIRST_S, _CAP_S = 0.2, 1.0, 8.0
_SWIFT_ATTEMPTS = 6
_LONGEST_DUEL_S = 60
_DRAINING_S = 4.0
"""A hub that sends its robots away needs a moment to be there again, and gets them one by one."""


class Retry(NamedTuple):
    """Connect again to ``url`` after ``after_s`` seconds."""

    url: str
    after_s: float


class GiveUp(NamedTuple):
    """Do not come back; ``reason`` says why, for people."""

    reason: str


def after_close(
    code: int, reason: str, url: str, attempt: int, random_: random.Random
) -> Retry | GiveUp:
    """What to do after a connection to ``url`` ended with a close code.

    ``attempt`` counts the failures since the last welcome, from 0. The wait is drawn evenly from
    zero to 1, 2, 4, then 8 s (full jitter), so that robots do not come back in step; after a
    connection that was cut, the first attempt is made almost at once and the next six within a
    second each: a hub that crashed is there again after two. In a duel over its id a robot
    waits as long as the hub asks (``duel SECONDS``), and the jitter on top.
    """
    if code in _FINAL:
        return GiveUp(_FINAL[code])
    if code == MOVED and reason.startswith(("ws://", "wss://")):
        url = reason
    doubled = max(0, attempt - _SWIFT_ATTEMPTS) if code == LOST else attempt
    bound_s = min(_CAP_S, _FIRST_S * 2 ** min(doubled, 10))
    if code == LOST and attempt == 0:
        bound_s = _AT_ONCE_S
    elif code == DRAINING:
        bound_s = max(bound_s, _DRAINING_S)
    asked_s = _seconds_of(reason) if code == DUEL else 0
    return Retry(url, asked_s + random_.uniform(0.0, bound_s))


def _seconds_of(reason: str) -> int:
    """The wait that a close with ``DUEL`` asks for."""
    seconds = reason.removeprefix("duel ")
    return min(int(seconds), _LONGEST_DUEL_S) if seconds.isdecimal() else 0
