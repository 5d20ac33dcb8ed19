"""The way to a ball: what the camera of the world sees of it, and what a watcher is told."""

from math import hypot

import numpy as np

from protocols.codecs.jpeg import jpeg_size
from robot_sim.camera import HFOV_DEG, WorldCamera, rendered
from robot_sim.errand import Errand
from robot_sim.room_plan import Disc, Pose, Room
from robot_sim.world import IN_THE_MIDDLE, Start, World, in_view, with_ball

MS = 1_000_000


def lived(world: World, s: float, errand: Errand | None = None) -> list[str]:
    """What is told in ``s`` seconds of a robot that goes to see its ball."""
    told: list[str] = []
    for step in range(round(50 * s)):
        now_ns = (1_000 + 20 * step) * MS
        world.advance(now_ns)
        if errand is not None:
            told += errand.told(now_ns, world)
    return told


def test_a_watcher_is_told_of_the_way_until_the_robot_is_there() -> None:
    world, errand = World("r1", in_view()), Errand()
    assert lived(world, 1) == []
    world.begin_skill("investigate_ball")
    told = lived(world, 12, errand)
    assert "ball 1.2 m away, 24° right" in told[0]
    assert told[1].endswith("going")
    assert told[-1].endswith("is there")
    assert 3 <= len(told) <= 12
    ball = world.room.ball
    assert ball is not None
    assert hypot(ball.x - world.pose.x, ball.y - world.pose.y) < 520


def test_nothing_is_told_of_a_robot_that_seeks_nothing() -> None:
    world = World("r1", in_view())
    assert lived(world, 3, Errand()) == []


def test_a_ball_that_is_not_seen_is_looked_for() -> None:
    world, errand = World("r1", with_ball()), Errand()
    world.begin_skill("scan_for_target")
    told = lived(world, 12, errand)
    assert told[0].endswith("sees no ball")
    assert told[-1].endswith("is there")  # it looks at it


def camera_at(pose: Pose, *obstacles: Disc) -> WorldCamera:
    room = Room(obstacles=obstacles, ball=Disc(2_000.0, 2_500.0, 60.0))
    return WorldCamera(World("r1", Start(room, pose)))


def test_the_ball_is_in_the_picture_where_it_is_in_the_world() -> None:
    ahead = camera_at(IN_THE_MIDDLE).ball()
    assert ahead is not None
    assert abs(ahead.x - 320) < 1e-6
    assert ahead.y > 240
    focal = 320 / np.tan(np.radians(HFOV_DEG / 2))
    assert abs(ahead.radius - focal * 60 / 1_000) < 1e-6
    near = camera_at(IN_THE_MIDDLE._replace(y=2_000.0)).ball()
    right = camera_at(IN_THE_MIDDLE._replace(x=1_800.0)).ball()
    assert near is not None
    assert right is not None
    assert near.radius > 1.9 * ahead.radius
    assert right.x > 320


def test_a_ball_that_is_behind_the_robot_or_a_thing_is_in_no_picture() -> None:
    assert camera_at(IN_THE_MIDDLE._replace(heading=-IN_THE_MIDDLE.heading)).ball() is None
    assert camera_at(IN_THE_MIDDLE, Disc(2_000.0, 2_000.0, 150.0)).ball() is None


def test_a_shot_is_a_jpeg_with_the_ball_in_it() -> None:
    camera = camera_at(IN_THE_MIDDLE)
    shot = camera.shoot(0.0)
    assert jpeg_size(shot.jpeg) == (640, 480) == (camera.camera.width, camera.camera.height)
    ball = camera.ball()
    assert ball is not None
    red, green, _ = rendered(640, 480, ball)[round(ball.y), round(ball.x)]
    assert int(red) > 3 * int(green)
    assert (rendered(640, 480, None)[..., 0] < 200).all()
