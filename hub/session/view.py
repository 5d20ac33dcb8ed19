"""A robot as programs may see it at one moment: its conversation, what it told of itself, and the
newest picture of its camera."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from hub.session.eyes import Picture
from hub.session.seat import Seat
from protocols.messages.robot import Hello


class RobotView(NamedTuple):
    """See the module. ``hello`` is as far as the robot's profile lets it be. ``world`` and
    ``profile`` are what the robot last told of itself; ``pictures`` counts those of its camera, of
    which ``picture`` is the newest that this connection has sent.
    From ``attention`` to ``unaddressed`` it is how it listens, as ``attention.changed`` says it."""

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
    attention: str = "open"
    mute: str = "off"
    hearing: bool = True
    unaddressed: int = 0
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
        hello=replace(state.hello, capabilities=state.able, language=state.language),
        world=state.world,
        profile=state.profile,
        attention=state.hearing.attention,
        mute=state.hearing.mute,
        hearing=state.hearing.hears,
        unaddressed=state.hearing.unaddressed,
        picture=seat.eyes.newest,
        pictures=seat.eyes.pictures,
    )
