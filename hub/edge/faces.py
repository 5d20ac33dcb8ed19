"""What the face of every connected robot shows, for faces that join by a wire of their own.

It is read off the robot's own connection: what the hub tells the robot, and what that has played.
"""

import time
from collections.abc import Callable, Iterable

from hub.edge.mouth import Mouth
from hub.session.link import LinkProfile, RobotLink, RobotSession
from hub.session.tap import depths_of
from protocols.messages import robot as wire
from protocols.messages.face import Conversation
from protocols.messages.robot import FromRobot, Hello, SpeechFrame, ToRobot
from protocols.messages.vision import CameraFrame
from protocols.qos import QueueDepth

Gesture = Callable[[str], None]
"""Is told of every gesture as it is to begin."""


class RobotFace:
    """One robot's. ``connected`` is whether there is a robot behind it."""

    def __init__(self) -> None:
        self.emotion = "neutral"
        self.intensity = 0.5
        self.conversation = Conversation.IDLE
        self.mouth = Mouth(16_000)
        self.watchers: list[Gesture] = []
        self.session: RobotSession | None = None

    @property
    def connected(self) -> bool:
        return self.session is not None

    def ask(self, message: FromRobot) -> bool:
        """Say something in the robot's name; False if it is not connected."""
        if self.session is None:
            return False
        self.session.on_message(message)
        return True

    def told(self, message: ToRobot, now_ns: int) -> None:
        """The robot was sent ``message``."""
        match message:
            case wire.Emotion(emotion=emotion, intensity=intensity):
                self.emotion, self.intensity = emotion, intensity
            case wire.Face(conversation=conversation):
                self.conversation = conversation
            case wire.Gestures(names=names):
                for watcher in tuple(self.watchers):
                    for name in names:
                        watcher(name)
            case wire.Hold():
                self.mouth.hold(now_ns)
            case wire.Release():
                self.mouth.release(now_ns)
            case wire.Flush(turn=turn):
                self.mouth.flush(turn)

    def said(self, message: FromRobot, now_ns: int) -> None:
        """The robot has said ``message``."""
        if isinstance(message, wire.Played):
            self.mouth.played(message, now_ns)


class Faces:
    """All of them. ``clock_ns`` is the hub's clock."""

    def __init__(self, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock_ns = clock_ns
        self._faces: dict[str, RobotFace] = {}

    def watch(self, robot: str, gesture: Gesture) -> RobotFace:
        """The face of ``robot``, connected or not, until ``leave``."""
        face = self._faces.setdefault(robot, RobotFace())
        face.watchers.append(gesture)
        return face

    def leave(self, robot: str, gesture: Gesture) -> None:
        """Watch it no more."""
        face = self._faces[robot]
        face.watchers.remove(gesture)
        self.tidy(robot)

    def link(self, robot: str, hello: Hello, link: RobotLink) -> "FollowedLink":
        """``link``, with the face of its robot following what it is told."""
        face = self._faces.setdefault(robot, RobotFace())
        return FollowedLink(link, face, hello, self._clock_ns)

    def session(self, robot: str, link: "FollowedLink", session: RobotSession) -> "FollowedSession":
        """``session``, with the face following what the robot says."""
        face = link.face
        face.session = session
        return FollowedSession(session, face, self._clock_ns, lambda: self._gone(robot, session))

    def _gone(self, robot: str, session: RobotSession) -> None:
        face = self._faces.get(robot)
        if face is not None and face.session is session:
            face.session = None
            face.conversation = Conversation.IDLE
            self.tidy(robot)

    def tidy(self, robot: str) -> None:
        """Forget a robot that neither is there nor is watched."""
        face = self._faces.get(robot)
        if face is not None and not face.watchers and face.session is None:
            del self._faces[robot]


class FollowedLink:
    """A ``RobotLink`` that tells a face what it tells its robot."""

    def __init__(
        self, link: RobotLink, face: RobotFace, hello: Hello, clock_ns: Callable[[], int]
    ) -> None:
        self.face = face
        self.profile: LinkProfile = link.profile
        self._link = link
        self._clock_ns = clock_ns
        face.mouth = Mouth(hello.speech_rate_hz)

    def send(self, message: ToRobot) -> None:
        self._link.send(message)
        self.face.told(message, self._clock_ns())

    def send_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        self._link.send_speech(header, pcm)
        if self.face.watchers:
            self.face.mouth.speech(header, self._clock_ns())

    def drop_speech(self, upto_turn: int) -> None:
        self._link.drop_speech(upto_turn)

    def close(self, code: int, reason: str) -> None:
        self._link.close(code, reason)

    def depths(self) -> Iterable[QueueDepth]:
        """See ``hub.session.tap.Deep``."""
        return depths_of(self._link)


class FollowedSession:
    """A ``RobotSession`` that tells a face what its robot says."""

    def __init__(
        self,
        session: RobotSession,
        face: RobotFace,
        clock_ns: Callable[[], int],
        gone: Callable[[], None],
    ) -> None:
        self._session = session
        self._face = face
        self._clock_ns = clock_ns
        self._gone = gone
        self.robot = session.robot
        self.epoch = session.epoch

    def on_mic(self, first_sample: int, pcm: bytes, playout_sample: int = -1) -> None:
        self._session.on_mic(first_sample, pcm, playout_sample)

    def on_camera(self, frame: CameraFrame, jpeg: bytes, taken_ns: int) -> None:
        self._session.on_camera(frame, jpeg, taken_ns)

    def on_message(self, message: FromRobot) -> None:
        self._session.on_message(message)
        self._face.said(message, self._clock_ns())

    def detach(self, code: int, reason: str) -> None:
        self._session.detach(code, reason)
        self._gone()
