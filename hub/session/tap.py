"""The seam through which a trace sees what robots are sent and what they say."""

from collections.abc import Callable, Iterable
from typing import Protocol

from hub.session.link import RobotLink
from protocols.bus import BusTap
from protocols.envelope import AnyEnvelope
from protocols.messages.robot import FromRobot, Hello
from protocols.qos import QueueDepth


class Deep(Protocol):
    """A link that has bounded queues."""

    def depths(self) -> Iterable[QueueDepth]:
        """What waits in them at this moment."""


def depths_of(link: object) -> Iterable[QueueDepth]:
    """What waits in the queues of a link, if it has any."""
    # An instance check of a protocol costs more than the answer.
    depths: Callable[[], Iterable[QueueDepth]] | None = getattr(link, "depths", None)
    return depths() if depths is not None else ()


class SeenLink(RobotLink, Protocol):
    """A robot's connection whose traffic is seen: the link to talk through, and what it is told of
    the other direction."""

    def said(self, message: FromRobot) -> int:
        """A message came. What the hub does until ``acted`` is its effect; returns what ``acted``
        is to be given."""

    def acted(self, before: int) -> None:
        """The hub has done with the message for which ``said`` returned ``before``."""

    def heard(self, first_sample: int, pcm: bytes) -> None:
        """A chunk of the microphone came."""

    def gone(self, code: int, reason: str) -> None:
        """The connection has ended, whoever ended it; idempotent."""


class SessionTap(BusTap, Protocol):
    """What a session manager shows to a trace."""

    def connect(
        self, robot: str, epoch: int, session: str, hello: Hello, resumed: bool, link: RobotLink
    ) -> SeenLink:
        """``link`` becomes the robot's owner under ``epoch``; it is talked to through the result."""

    def speech(self, envelope: AnyEnvelope, pcm: bytes) -> None:
        """A chunk of speech came from tts."""
