"""Who yields to whom: the whole policy of voice and body on one page.

A *claim* is the wish to speak or move. Higher claims take from lower ones:

    SAFETY > USER > PLAN > AMBIENT

Equal claims: a newer SAFETY or USER claim replaces the older, a newer PLAN or AMBIENT one is
dropped. What may not be interrupted yields to SAFETY and to a cancel alone.
"""

from enum import StrEnum
from typing import NamedTuple

from protocols.messages.session import EchoCanceller
from protocols.messages.turn import Priority

RANK = {Priority.SAFETY: 3, Priority.USER: 2, Priority.PLAN: 1, Priority.AMBIENT: 0}
_NEWER_WINS = frozenset({Priority.SAFETY, Priority.USER})


class Claim(NamedTuple):
    """The wish to have the robot's voice and body."""

    priority: Priority
    interruptible: bool = True


class Verdict(NamedTuple):
    """Whether a new claim gets through, and the reason that is reported if not."""

    granted: bool
    reason: str = ""


def decide(holder: Claim | None, new: Claim) -> Verdict:
    """Does ``new`` get the voice that ``holder`` (None: nobody) has?"""
    if holder is None or new.priority is Priority.SAFETY:
        return Verdict(True)
    if not holder.interruptible:
        return Verdict(False, f"not_interruptible_{holder.priority}")
    if RANK[new.priority] > RANK[holder.priority]:
        return Verdict(True)
    if new.priority is holder.priority and new.priority in _NEWER_WINS:
        return Verdict(True)
    return Verdict(False, f"busy_with_{holder.priority}")


class Voice(StrEnum):
    """What a voice that begins now may do to what the robot is doing."""

    BARGE_IN = "barge_in"
    """Duck, then hold, then cancel: the robot speaks and can tell its own voice from the user's."""
    REOPEN = "reopen"
    """The robot has not been heard yet: the user simply goes on."""
    IGNORE = "ignore"
    """It may be the robot itself, or the robot must not be interrupted."""
    LISTEN = "listen"
    """The robot is silent and idle: an ordinary utterance begins."""


def voice_may(holder: Claim | None, audible: bool, aec: EchoCanceller) -> Voice:
    """What a voice means while ``holder`` has the robot's voice.

    ``audible`` is whether a sample of it has been played: before that there is no echo, and no
    answer to interrupt either. Only a user's own turn can be reopened.
    """
    if holder is None:
        return Voice.LISTEN
    if not audible and holder.priority is Priority.USER:
        return Voice.REOPEN
    if aec is EchoCanceller.NONE or not decide(holder, Claim(Priority.USER)).granted:
        return Voice.IGNORE
    return Voice.BARGE_IN
