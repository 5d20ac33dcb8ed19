"""Whether and when a robot comes back after its connection is gone."""

import random
from typing import NamedTuple

REPLACED = 4001
NOT_AUTHORISED = 4003
WRONG_WIRE_VERSION = 4011
MOVED = 4012
NO_ROBOT_ID = 4400
_FINAL = {
    REPLACED: "another connection of this robot has taken over",
    NOT_AUTHORISED: "the hub does not authorise this robot",
    WRONG_WIRE_VERSION: "the hub speaks another version of the wire",
    NO_ROBOT_ID: "the hub does not accept this robot id",
}
_FIRST_S, _CAP_S = 1.0, 8.0


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
    zero to 1, 2, 4, then 8 s (full jitter), so that robots do not come back in step.
    """
    if code in _FINAL:
        return GiveUp(_FINAL[code])
    if code == MOVED and reason.startswith(("ws://", "wss://")):
        url = reason
    bound_s = min(_CAP_S, _FIRST_S * 2 ** min(attempt, 10))
    return Retry(url, random_.uniform(0.0, bound_s))
