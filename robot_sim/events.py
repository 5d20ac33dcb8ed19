"""What happens to a robot, for whoever watches it: what the hub says, and what the robot does."""

from typing import NamedTuple

from protocols.messages.robot import ActionResult, ToRobot, Welcome
from robot_sim.actions import Begun
from robot_sim.microphone import Spoken
from robot_sim.speaker import Cue
from robot_sim.yielding import Loudness


class Linked(NamedTuple):
    """The hub has welcomed this robot."""

    welcome: Welcome


class Unlinked(NamedTuple):
    """A connection is gone, or none came about (``code`` 1006)."""

    code: int
    reason: str


class Jumped(NamedTuple):
    """The robot's clock jumped by ``ms``: it was suspended."""

    ms: int


class GestureBegan(NamedTuple):
    """The face begins to show a gesture."""

    name: str


class Yielded(NamedTuple):
    """By its own ears the robot speaks as loud as ``loudness`` from now on."""

    loudness: Loudness


Happening = (
    ToRobot | Linked | Unlinked | Jumped | Spoken | Cue | GestureBegan | Yielded | Begun
    | ActionResult
)  # fmt: skip


class Event(NamedTuple):
    """Something that happened at ``at_ns`` of the robot's clock."""

    at_ns: int
    what: Happening
