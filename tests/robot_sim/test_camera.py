"""The simulated robot's camera: what it shows, and how its pictures leave."""

import asyncio
import io
from pathlib import Path

import av
import numpy as np
import pytest

from protocols.codecs.jpeg import jpeg_size
from protocols.codecs.robot import MAX_PICTURE_BYTES
from robot_sim.camera import BALL, Folder, RollingBall, source_of
from robot_sim.errors import UnreadablePictures
from robot_sim.events import Linked
from robot_sim.robot import RobotOptions, SimulatedRobot
from tests.fakes.hub_server import PATIENCE_S, FakeHub
from tests.fakes.pictures import jpeg


def decoded(data: bytes) -> np.ndarray:
    with av.open(io.BytesIO(data)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)


@pytest.mark.parametrize("at_s", [0.0, 1.3, 2.0, 5.9])
def test_the_ball_is_red_where_it_should_be_and_nowhere_else(at_s: float) -> None:
    scene = RollingBall()
    pixels = decoded(scene.shoot(at_s).jpeg)
    red = (pixels[..., 0] > 80) & (pixels[..., 0] > 2 * pixels[..., 1])
    rows, columns = np.nonzero(red)
    x, y = scene.centre(at_s)
    assert abs(columns.mean() - x) < 3
    assert abs(rows.mean() - y) < 3
    assert abs(np.sqrt(red.sum() / np.pi) - scene.radius) < 4


def test_the_ball_rolls_from_side_to_side() -> None:
    scene = RollingBall()
    xs = [scene.centre(at_s)[0] for at_s in np.linspace(0, scene.period_s, 50)]
    assert min(xs) < 100 < 540 < max(xs)
    assert min(xs) > scene.radius


def test_a_picture_is_a_jpeg_of_the_size_that_the_hello_names() -> None:
    source = source_of(BALL)
    shot = source.shoot(0.0)
    camera = source.camera
    assert jpeg_size(shot.jpeg) == (shot.width, shot.height) == (camera.width, camera.height)
    assert len(shot.jpeg) < 64 * 1024


def test_a_folder_is_shown_in_the_order_of_its_names_and_again(tmp_path: Path) -> None:
    for number in (2, 0, 1):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(16 * (number + 1), 16))
    (tmp_path / "notes.txt").write_text("no picture")
    folder = Folder(tmp_path, fps=2.0)
    assert [folder.shoot(at_s).width for at_s in (0.0, 0.4, 0.5, 1.0, 1.5)] == [16, 16, 32, 48, 16]
    assert folder.camera.width == 16


@pytest.mark.parametrize(
    ("data", "says"),
    [(None, "holds no picture"), (b"GIF89a", "is no JPEG"), (b"large", "a hub takes")],
)
def test_a_folder_without_a_picture_for_a_hub_is_refused(
    tmp_path: Path, data: bytes | None, says: str
) -> None:
    if data == b"large":
        data = jpeg().ljust(MAX_PICTURE_BYTES + 1, b"\0")
    if data is not None:
        (tmp_path / "one.jpg").write_bytes(data)
    with pytest.raises(UnreadablePictures, match=says):
        Folder(tmp_path)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePictures, match="no folder of pictures"):
        source_of(str(tmp_path / "missing"))


async def test_pictures_leave_with_the_robots_own_time_beside_its_sound() -> None:
    options = RobotOptions(sees=RollingBall(width=64, height=48, radius=10), fps=15.0)
    async with FakeHub() as hub, SimulatedRobot(hub.url, "r1", options) as robot:
        connection = await hub.connection()
        camera = connection.hello.capabilities.camera
        assert camera is not None
        assert (camera.width, camera.height) == (64, 48)
        before_ns = robot.now_ns()
        await connection.welcome()
        await robot.next(Linked)
        taken = []
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(3):
                header, data = await connection.pictures.get()
                assert jpeg_size(data) == (header.width, header.height) == (64, 48)
                taken.append(header.t_ns)
        assert before_ns <= taken[0] < taken[1] < taken[2] <= robot.now_ns()
        assert len(connection.mic) > 0
