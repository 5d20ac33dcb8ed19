"""The seam between a session and whatever wire its robot speaks."""

from typing import NamedTuple, Protocol

from protocols.messages.robot import FromRobot, Hello, SpeechFrame, ToRobot
from protocols.messages.session import Attention, AttentionChanged
from protocols.messages.vision import CameraFrame

REPLACED = 4001
"""Close code of a connection whose robot has a newer one."""
WAIT_MS = 60_000
"""How long an announcement waits until the robot is free, unless it says so."""
DRAINING = 4010
"""Close code of a connection whose hub is about to end."""


class LinkProfile(NamedTuple):
    """What a wire can do, as far as pacing and barge-in must know."""

    frame_ms: int
    """Length of one speech frame."""
    lead_ms: int
    """How far the wire may run ahead of the loudspeaker."""
    max_lead_ms: int
    """How far anything may be sent ahead of what was acknowledged, which bounds the lead on a shaky
    link; equal to ``lead_ms`` where the client cannot flush."""
    can_flush: bool
    """The client executes duck, hold, release and flush and acknowledges what it played."""


class RobotLink(Protocol):
    """A robot's connection. All calls are made on the hub's loop and must not block or await.

    A link whose peer does not read raises nothing: it counts, closes itself with 4009 and the
    manager learns of it by ``RobotSession.detach``.
    """

    profile: LinkProfile

    def send(self, message: ToRobot) -> None:
        """Queue a control message."""

    def send_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        """Queue a speech frame, s16le mono at the rate the robot's ``hello`` asked for."""

    def drop_speech(self, upto_turn: int) -> None:
        """Throw away queued speech frames of turns up to ``upto_turn`` that are not yet sent."""

    def close(self, code: int, reason: str) -> None:
        """Close the connection; idempotent."""


class RobotSession(Protocol):
    """What a wire adapter holds after ``SessionManager.attach``; see there."""

    @property
    def robot(self) -> str: ...

    @property
    def epoch(self) -> int: ...

    def on_mic(self, first_sample: int, pcm: bytes, playout_sample: int = -1) -> None:
        """Microphone audio: mono s16le 16 kHz; counted from 0 on this connection."""

    def on_camera(self, frame: CameraFrame, jpeg: bytes, taken_ns: int) -> None:
        """A picture of the camera, taken at ``taken_ns`` of the hub's clock."""

    def on_message(self, message: FromRobot) -> None:
        """Any ``FromRobot`` message but ``hello``."""

    def detach(self, code: int, reason: str) -> None:
        """The connection is gone; idempotent."""


class Sessions(Protocol):
    """What the edge needs of the session manager."""

    async def attach(
        self, robot: str, hello: Hello, link: RobotLink, *, fresh: bool = False
    ) -> RobotSession:
        """Make ``link`` the robot's owner: a new epoch is persisted, an older connection is
        fenced and closed with 4001, ``welcome`` is sent. A ``hello`` with the resume token of the
        robot's session goes on with it, on wires that can flush; any other begins a new one. ``fresh``: what
        the robot said before is forgotten.

        Raises:
            NotReady: the hub is draining.
        """

    def attend(
        self, robot: str, attention: Attention | None = None, muted: bool | None = None
    ) -> AttentionChanged:
        """Choose how a robot listens, or mute it, or end that; None leaves it as it is. Returns how
        it listens then.

        Raises:
            UnknownRobot: it is not connected.
        """

    async def say(
        self,
        robot: str,
        text: str,
        *,
        emotion: str = "neutral",
        intensity: float = 0.5,
        priority: str = "plan",
        interruptible: bool = True,
        gestures: tuple[str, ...] = (),
        when_free: bool = False,
        ttl_ms: int = WAIT_MS,
        asked: bool = False,
    ) -> str:
        """Speak to a robot, or with an empty text let it only show ``emotion`` and make
        ``gestures``; return the outcome (``protocols.messages.turn.Outcome``) or the reason why the
        claim was dropped. ``when_free``: if it cannot be said now, it waits for up to ``ttl_ms``
        until nobody speaks. ``asked``: the robot's user has asked for it, so it is said even in the
        robot's quiet hours.

        Raises:
            UnknownRobot: it is not connected.
        """
