"""What the edge holds of a robot's seat, and what people see of it."""

from collections.abc import Callable
from typing import NamedTuple

from hub.session import events as on
from hub.session.link import RobotLink
from hub.session.seat import Seat
from hub.session.tap import SeenLink
from protocols.messages.robot import FromRobot, Welcome
from protocols.messages.vision import CameraFrame


class Attached:
    """A connection's handle on its seat. Once the seat has a newer owner it does nothing."""

    def __init__(
        self,
        seat: Seat,
        epoch: int,
        detached: Callable[[str], None],
        seen: SeenLink | None = None,
    ) -> None:
        self.robot = seat.robot
        self.epoch = epoch
        self._seat = seat
        self._detached = detached
        self._seen = seen

    def on_mic(self, first_sample: int, pcm: bytes, playout_sample: int = -1) -> None:
        """Microphone audio: mono s16le 16 kHz; samples counted from 0 on this connection."""
        if self._seat.owned_by(self.epoch):
            if self._seen is not None:
                self._seen.heard(first_sample, pcm)
            self._seat.on_mic(first_sample, pcm, playout_sample)

    def on_camera(self, frame: CameraFrame, jpeg: bytes, taken_ns: int) -> None:
        """A picture of the camera, taken at ``taken_ns`` of the hub's clock."""
        if self._seat.owned_by(self.epoch):
            self._seat.on_camera(frame, jpeg, taken_ns)

    def on_message(self, message: FromRobot) -> None:
        """Any control message but ``hello``."""
        if not self._seat.owned_by(self.epoch):
            return
        if self._seen is None:
            self._seat.on_message(message)
        else:
            before = self._seen.said(message)
            self._seat.on_message(message)
            self._seen.acted(before)

    def detach(self, code: int, reason: str) -> None:
        """The connection is gone; idempotent."""
        if self._seen is not None:
            self._seen.gone(code, reason)
        if self._seat.detach(self.epoch, code, reason):
            self._detached(self.robot)


class RobotStatus(NamedTuple):
    """A robot as people see it."""

    robot: str
    connected: bool
    client: str
    session: str
    epoch: int
    turn: int
    face: str


def status_of(seat: Seat) -> RobotStatus:
    """What is told of a seat."""
    state = seat.state
    return RobotStatus(
        seat.robot,
        state.connected,
        state.hello.client,
        state.session,
        state.epoch,
        state.turn.number if state.turn else 0,
        state.face,
    )


def welcome_of(link: RobotLink, event: on.Connected, order: int, hub_id: str, boot: int) -> Welcome:
    """The answer to the ``hello`` of a connection; ``order`` is the last number given so far."""
    return Welcome(
        session=event.session,
        epoch=event.epoch,
        resumed=event.resumed,
        resume=event.session,
        hub_id=hub_id,
        boot=boot,
        order=order,
        lead_ms=link.profile.lead_ms,
    )
