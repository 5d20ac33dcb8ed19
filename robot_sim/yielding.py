"""How a robot yields to somebody who speaks while it speaks, before its hub can have heard of it.

    nobody ──a window that may be a voice──▶ LOW ──250 ms of voice──▶ NONE

It lowers its voice, and then falls silent, by its own ears and at once, whatever the link is like.
What comes of it the hub decides: its word *settles* this voice. Where none comes in time, the robot
goes on. Pure, and on sample time.
"""

from enum import Enum

import msgspec
from msgspec.structs import replace

from robot_sim.wav import RATE_HZ

_PER_MS = RATE_HZ // 1000
BEGINS = 0.1
"""Probability of voice in a window that lowers the robot's. Lower than what begins an utterance
(``agents/ears/endpointing.py``): who was wrong is as loud as before 200 ms later."""
GOES_ON = 0.35
SPEECH_MS = 250
"""Voice after which it is speech rather than a knock, as for ears' ``voice.confirmed``."""
PAUSE_MS = 192
"""Silence that ends a voice."""
PATIENCE_MS = 2_000
"""How long after it began the hub is waited for."""


class Loudness(Enum):
    """How loud the robot may speak, as a factor."""

    FULL = 1.0
    LOW = 10 ** (-15 / 20)
    """As by ``duck``."""
    NONE = 0.0


class Yielding(msgspec.Struct, frozen=True, gc=False):
    """Lengths are in samples. ``since`` is what was heard since the voice began, and 0 while there
    is none; ``voiced`` is the voice in it, ``quiet`` what was heard since."""

    since: int = 0
    voiced: int = 0
    quiet: int = 0
    settled: bool = False

    @property
    def loudness(self) -> Loudness:
        if self.settled or not self.since:
            return Loudness.FULL
        return Loudness.LOW if self.voiced < SPEECH_MS * _PER_MS else Loudness.NONE


def heard(state: Yielding, probability: float, samples: int) -> Yielding:
    """A window of ``samples`` that holds a voice with ``probability``."""
    if probability < (GOES_ON if state.since else BEGINS):
        if not state.since:
            return state
        state = replace(state, since=state.since + samples, quiet=state.quiet + samples)
        speech = state.loudness is Loudness.NONE
        if state.quiet >= PAUSE_MS * _PER_MS and not speech:
            return Yielding()
    else:
        state = replace(state, since=state.since + samples, voiced=state.voiced + samples, quiet=0)
    return settled(state) if state.since >= PATIENCE_MS * _PER_MS else state


def settled(state: Yielding) -> Yielding:
    """The hub has said what comes of this voice, or will not."""
    return replace(state, settled=True) if state.since else state
