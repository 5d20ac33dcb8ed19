"""A robot as programs may see it at one moment: its conversation, what it told of itself, and the
newest picture of its camera."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from hub.session.eyes import Picture
from hub.session.seat import Seat
from protocols.messages.robot import Hello


class RobotView(NamedTuple):
    """See the module. ``world`` and ``profile`` are what the robot last told of itself; ``pictures``
    counts those of its camera, of which ``picture`` is the newest that this connection has sent."""

    robot: str
    connected: bool
    session: str
    epoch: int
    turn: int
    face: str
    emotion: str
    intensity: float
    hello: Hello
    world: Mapping[str, object]
    profile: Mapping[str, object]
    picture: Picture | None = None
    pictures: int = 0


class Views(Protocol):
    """Whoever knows the robots."""

    def view(self, robot: str) -> RobotView:
        """A robot that this run of the hub has seen.

        Raises:
            UnknownRobot: it has never been here.
        """

    def connected(self) -> list[str]:
        """The robots that are connected, by name."""


def view_of(seat: Seat) -> RobotView:
    """What a seat shows."""
    state, live = seat.state, seat.state.turn
    emotion, intensity = state.face_mood
    return RobotView(
        robot=seat.robot,
        connected=state.connected,
        session=state.session,
        epoch=state.epoch,
        turn=live.number if live else 0,
        face=state.face,
        emotion=emotion,
        intensity=intensity,
        hello=state.hello,
        world=state.world,
        profile=state.profile,
        picture=seat.eyes.newest,
        pictures=seat.eyes.pictures,
    )
