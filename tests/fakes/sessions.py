"""Sessions that remember what they were told and say what a test tells them to say."""

import asyncio
from dataclasses import dataclass, field

from msgspec.structs import replace

from hub.errors import UnknownRobot
from hub.session.hearing import Hearing
from hub.session.link import RobotLink
from protocols.errors import HubError
from protocols.messages.robot import Hello, Welcome
from protocols.messages.session import Attention, AttentionChanged
from protocols.messages.vision import CameraFrame


@dataclass
class FakeSession:
    """A ``RobotSession`` as a list of everything that came."""

    robot: str
    epoch: int
    hello: Hello
    link: RobotLink
    fresh: bool = False
    mic: list[tuple[int, bytes, int]] = field(default_factory=list)
    pictures: list[tuple[CameraFrame, bytes, int]] = field(default_factory=list)
    messages: list[object] = field(default_factory=list)
    detached: tuple[int, str] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    failing: bool = False

    @property
    def pcm(self) -> bytes:
        return b"".join(pcm for _, pcm, _ in self.mic)

    def on_mic(self, first_sample: int, pcm: bytes, playout_sample: int = -1) -> None:
        self.mic.append((first_sample, pcm, playout_sample))
        self.changed.set()

    def on_camera(self, frame: CameraFrame, jpeg: bytes, taken_ns: int) -> None:
        self.pictures.append((frame, jpeg, taken_ns))
        self.changed.set()

    def on_message(self, message: object) -> None:
        if self.failing:
            raise RuntimeError("a bug in the session")
        self.messages.append(message)
        self.changed.set()

    def detach(self, code: int, reason: str) -> None:
        self.detached = (code, reason)
        self.changed.set()

    async def until(self, condition) -> None:  # type: ignore[no-untyped-def]
        """Return once ``condition(self)`` holds; fail after two seconds."""
        async with asyncio.timeout(2):
            while not condition(self):
                self.changed.clear()
                await self.changed.wait()


class FakeSessions:
    """A ``Sessions`` that welcomes everybody, with takeover by epoch."""

    def __init__(self) -> None:
        self.attached: list[FakeSession] = []
        self.said: list[tuple[str, str, str, str]] = []
        self.gestured: list[tuple[str, ...]] = []
        self.waits: list[int] = []
        """How long each may wait until the robot is free, in milliseconds."""
        self.outcome = "done"
        """How everything that is said ends."""
        self.hearing = Hearing()
        self.failure: HubError | None = None
        self.arrived = asyncio.Event()

    async def attach(
        self, robot: str, hello: Hello, link: RobotLink, *, fresh: bool = False
    ) -> FakeSession:
        if self.failure is not None:
            raise self.failure
        for older in self.attached:
            if older.robot == robot and older.detached is None:
                older.link.close(4001, "replaced_by_newer_session")
        session = FakeSession(robot, len(self.attached) + 1, hello, link, fresh)
        self.attached.append(session)
        link.send(
            Welcome(
                session=f"sess-{session.epoch}", epoch=session.epoch, resumed=False, resume="r",
                hub_id="hub-test", boot=1, order=0, lead_ms=link.profile.lead_ms,
            )
        )  # fmt: skip
        self.arrived.set()
        return session

    def attend(
        self, robot: str, attention: Attention | None = None, muted: bool | None = None
    ) -> AttentionChanged:
        if robot not in {s.robot for s in self.attached if s.detached is None}:
            raise UnknownRobot(f"robot {robot} is not connected")
        self.hearing = replace(
            self.hearing,
            attention=attention or self.hearing.attention,
            hushed=self.hearing.hushed if muted is None else muted,
        )
        return self.hearing.fact

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
        ttl_ms: int = 60_000,
        asked: bool = False,
    ) -> str:
        if robot not in {s.robot for s in self.attached if s.detached is None}:
            raise UnknownRobot(f"robot {robot} is not connected")
        self.said.append((robot, text, emotion, priority))
        self.gestured.append(gestures)
        self.waits.append(ttl_ms if when_free else 0)
        return self.outcome

    async def newest(self) -> FakeSession:
        """The session of the connection that was made last."""
        async with asyncio.timeout(2):
            await self.arrived.wait()
        self.arrived.clear()
        return self.attached[-1]
