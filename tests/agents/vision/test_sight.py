"""Sight in virtual time, on a real runner: the newest frame of each robot, and none that is old."""

import asyncio
from collections.abc import Sequence

from agents.runtime.errors import AgentError
from agents.vision.seen import Scene
from agents.vision.sight import HFOV_DEG, Sight
from protocols.envelope import AnyEnvelope
from protocols.messages.session import Camera, SessionAssign, SessionRelease
from protocols.messages.vision import STALE_FRAME_MS, Ball, BallsSeen, CameraFrame
from tests.agents.runtime.rig import HubSide, running
from tests.virtual_time import clock_ns, settle, virtual

LOOK_S = 0.05
BALL = Ball(colour="red", x=1, y=2, radius=3, bearing_deg=4, confidence=0.5)
FRAME = CameraFrame(width=640, height=480)
MS = 1_000_000


class SlowFinder:
    """Looks at a picture for ``LOOK_S``; finds a ball, or fails at pictures that say so."""

    name = "slow"

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, float]] = []

    async def start(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    def find(
        self, picture: bytes, colours: Sequence[str], hfov_deg: float
    ) -> "asyncio.Future[Scene]":
        if picture == b"refused":
            raise AgentError("not this one", "bad_hfov")
        self.asked.append((picture, hfov_deg))
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Scene] = loop.create_future()
        if picture == b"broken":
            loop.call_later(LOOK_S, found.set_exception, AgentError("broken", "bad_picture"))
        else:
            loop.call_later(LOOK_S, found.set_result, Scene(640, 480, (BALL,)))
        return found

    @property
    def pictures(self) -> list[bytes]:
        return [picture for picture, _ in self.asked]


def sight() -> tuple[Sight, SlowFinder]:
    finder = SlowFinder()
    return Sight(finder, clock=clock_ns), finder


def show(
    hub: HubSide,
    picture: bytes,
    robot: str = "r1",
    *,
    age_ms: float = 10.0,
    error_ms: float = 0.0,
    epoch: int = 1,
) -> int:
    """Publish a frame; when it was taken."""
    taken = clock_ns() - int(age_ms * MS)
    frame = CameraFrame(width=640, height=480, error_ms=error_ms)
    hub.media(frame, picture, robot=robot, t_src_ns=taken, epoch=epoch)
    return taken


def seen(hub: HubSide) -> list[AnyEnvelope]:
    return [envelope for envelope in hub.got if isinstance(envelope.body, BallsSeen)]


@virtual
async def test_what_is_seen_bears_the_time_the_picture_was_taken() -> None:
    service, finder = sight()
    async with running(service) as rig:
        rig.hub.order(SessionAssign(camera=Camera(hfov_deg=90.0, width=640, height=480)))
        await settle()
        taken = show(rig.hub, b"one")
        await asyncio.sleep(1)
        (told,) = seen(rig.hub)
    assert told.body == BallsSeen(width=640, height=480, balls=(BALL,))
    assert (told.robot, told.t_src_ns) == ("r1", taken)
    assert finder.asked == [(b"one", 90.0)]


@virtual
async def test_of_the_frames_that_come_while_one_is_looked_at_the_newest_is_next() -> None:
    service, finder = sight()
    async with running(service) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        for number in range(10):
            show(rig.hub, b"%d" % number)
            await settle()
        await asyncio.sleep(1)
        assert len(seen(rig.hub)) == 2
    assert finder.asked == [(b"0", HFOV_DEG), (b"9", HFOV_DEG)]
    assert service.counters["replaced_frame"] == 8


@virtual
async def test_robots_take_turns() -> None:
    service, finder = sight()
    async with running(service) as rig:
        for robot in ("r1", "r2", "r3"):
            rig.hub.order(SessionAssign(), robot=robot)
        await settle()
        for _ in range(3):
            show(rig.hub, b"a", "r1")
            await settle()
        show(rig.hub, b"b", "r2")
        show(rig.hub, b"c", "r3")
        await asyncio.sleep(1)
    assert finder.pictures == [b"a", b"a", b"b", b"c"]


@virtual
async def test_a_stale_frame_is_not_looked_at() -> None:
    service, finder = sight()
    async with running(service) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        show(rig.hub, b"old", age_ms=STALE_FRAME_MS + 1)
        show(rig.hub, b"perhaps old", age_ms=STALE_FRAME_MS - 100, error_ms=150.0)
        await settle()
        assert service.counters["stale_frame"] == 2
        show(rig.hub, b"not yet", age_ms=STALE_FRAME_MS - 100)
        await asyncio.sleep(1)
    assert finder.pictures == [b"not yet"]


@virtual
async def test_a_frame_that_went_stale_while_it_waited_is_not_looked_at() -> None:
    service, finder = sight()
    async with running(service) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        show(rig.hub, b"one")
        await settle()
        show(rig.hub, b"two", age_ms=STALE_FRAME_MS - 10)
        await asyncio.sleep(1)
    assert finder.pictures == [b"one"]
    assert service.counters["stale_frame"] + service.counters["older_frame"] == 1


@virtual
async def test_a_frame_without_a_time_and_one_that_was_overtaken_are_counted_and_left() -> None:
    service, finder = sight()
    async with running(service) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        show(rig.hub, b"new", age_ms=10)
        show(rig.hub, b"overtaken", age_ms=500)
        rig.hub.media(FRAME, b"undated")
        await asyncio.sleep(1)
    assert finder.pictures == [b"new"]
    assert service.counters["older_frame"] == 1


@virtual
async def test_what_cannot_be_looked_at_is_counted_and_the_next_frame_is_seen() -> None:
    service, finder = sight()
    async with running(service) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        for picture in (b"broken", b"refused", b"good"):
            show(rig.hub, picture)
            await asyncio.sleep(1)
        assert len(seen(rig.hub)) == 1
    assert finder.pictures == [b"broken", b"good"]
    assert (service.counters["bad_picture"], service.counters["bad_hfov"]) == (1, 1)


@virtual
async def test_a_robot_that_has_gone_is_told_nothing() -> None:
    service, finder = sight()
    async with running(service) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        show(rig.hub, b"one")
        await settle()
        rig.hub.order(SessionRelease())
        await settle()
        show(rig.hub, b"two")
        await asyncio.sleep(1)
        assert seen(rig.hub) == []
    assert finder.pictures == [b"one"]


@virtual
async def test_a_robot_that_comes_back_is_seen_again() -> None:
    service, finder = sight()
    async with running(service) as rig:
        rig.hub.order(SessionAssign(), epoch=1)
        await settle()
        rig.hub.order(SessionAssign(), epoch=2)
        await settle()
        show(rig.hub, b"of the old connection")
        show(rig.hub, b"one", epoch=2)
        await asyncio.sleep(1)
        assert len(seen(rig.hub)) == 1
    assert finder.pictures == [b"one"]
