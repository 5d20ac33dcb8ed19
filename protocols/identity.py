"""Who and when in a robot's life: robot ids, epochs, turns and the fence over them."""

import re
from typing import NamedTuple

from protocols.errors import BadIdentity

ROBOT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def checked_robot_id(text: str) -> str:
    """Return ``text`` if it may name a robot.

    Raises:
        BadIdentity: it is empty, longer than 64 or holds a character outside ``[A-Za-z0-9._-]``.
    """
    if not ROBOT_ID.fullmatch(text):
        shown = text if len(text) <= 80 else f"{text[:80]}… ({len(text)} characters)"
        raise BadIdentity(f"robot_id must be 1 to 64 of A-Z a-z 0-9 . _ -, not {shown!r}")
    return text


class Stamp(NamedTuple):
    """``(epoch, turn)``: orders everything a robot may say or do.

    Epochs count a robot's owner connections, turns its exchanges; neither is ever used twice.
    The tuple order is the order of time, so a plain comparison decides what is stale.
    """

    epoch: int
    turn: int


NOTHING_FENCED = Stamp(0, 0)


class Fence:
    """The highest stamp that is stale. It only rises; whatever stands at or below it is dead."""

    __slots__ = ("_at",)

    def __init__(self, at: Stamp = NOTHING_FENCED) -> None:
        self._at = at

    @property
    def at(self) -> Stamp:
        return self._at

    def raise_to(self, stamp: Stamp) -> bool:
        """Lift the fence to ``stamp``; return False if it already stood there or above."""
        if stamp <= self._at:
            return False
        self._at = stamp
        return True

    def is_stale(self, turn: int) -> bool:
        """Whether a turn may no longer act. Turn numbers are per robot and never reset, so the
        turn alone decides inside one hub; epochs guard what crosses connections."""
        return turn != 0 and turn <= self._at.turn
