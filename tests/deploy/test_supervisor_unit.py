"""The unit of a robot: systemd can read it, and its order is one that the program understands."""

import configparser
import re
import shlex
import shutil
from pathlib import Path

import pytest

from robot_sim.pi.__main__ import COMMANDS
from robot_sim.pi.ending import CANNOT
from robot_sim.pi.order import read_order
from tests.deploy.units import faults, read

UNIT = Path(__file__).parent.parent.parent / "deploy" / "robot-supervisor.service"
EXECUTABLE = "/opt/robot-supervisor/bin/robot-hub"


def service() -> configparser.SectionProxy:
    return read(UNIT)["Service"]


def test_its_order_and_that_of_its_example_are_understood() -> None:
    (example,) = re.findall(r"SUPERVISOR_OPTIONS=(.*)", UNIT.read_text().partition("[Unit]")[0])
    written = service()["ExecStart"].replace("${ROBOT_ID}", "kitchen")
    executable, command, *words = shlex.split(written.replace("$SUPERVISOR_OPTIONS", example))
    assert (executable, command in COMMANDS) == (EXECUTABLE, True)
    order = read_order(words)
    assert (order.robot, order.face_port, order.camera) == ("kitchen", "/dev/ttyACM0", "rpicam")
    assert str(order.state) == "/var/lib/robot-supervisor"


def test_what_cannot_be_is_not_tried_again() -> None:
    assert service()["RestartPreventExitStatus"] == str(CANNOT)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    assert faults(UNIT, EXECUTABLE, tmp_path) == []
