"""A camera that is a program: what it writes is cut into pictures."""

import sys
from pathlib import Path

import pytest

from robot_sim.camera import RollingBall
from robot_sim.errors import NoCamera
from robot_sim.pi.camera_program import CameraProgram, rpicam

WRITES = """
import sys, time, pathlib
out = sys.stdout.buffer
out.write(b"noise before" + b"\\xff\\xd9")
for name in sys.argv[1:]:
    out.write(pathlib.Path(name).read_bytes())
out.flush()
time.sleep(60)
"""


def program(tmp_path: Path, *pictures: bytes) -> list[str]:
    files = []
    for number, picture in enumerate(pictures):
        files.append(tmp_path / f"{number}.jpg")
        files[-1].write_bytes(picture)
    return [sys.executable, "-c", WRITES, *map(str, files)]


def test_the_newest_picture_is_shot_and_its_size_is_the_cameras(tmp_path: Path) -> None:
    ball = RollingBall(width=160, height=120, radius=20)
    first, second = ball.shoot(0.0).jpeg, ball.shoot(2.0).jpeg
    with CameraProgram(program(tmp_path, first, second)) as camera:
        assert (camera.camera.width, camera.camera.height) == (160, 120)
        shots = [camera.shoot(0.0), camera.shoot(0.2)]
        assert shots[-1].jpeg == second
        assert camera.broken == 1


@pytest.mark.parametrize("words", [["no-such-program"], [sys.executable, "-c", "pass"]])
def test_a_program_that_is_no_camera_is_refused(words: list[str]) -> None:
    with pytest.raises(NoCamera), CameraProgram(words):
        pass


def test_the_camera_of_a_pi_is_asked_for_pictures_on_its_output() -> None:
    command = rpicam(5.0)
    assert command[0] == "rpicam-vid"
    assert command[-2:] == ["-o", "-"]
    assert command[command.index("--framerate") + 1] == "5"
