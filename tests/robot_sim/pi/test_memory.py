"""What a robot remembers of its hub."""

from pathlib import Path

import pytest

from robot_sim.errors import BadOrder
from robot_sim.pi.home import Home
from robot_sim.pi.memory import Memory, Remembered
from robot_sim.pi.order import read_order


def test_it_is_there_after_a_restart_and_nobody_else_reads_it(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "state", "r1")
    assert memory.read() == Remembered()
    memory.write(Remembered("h", "ws://a:1", "secret"))
    assert Memory(tmp_path / "state", "r1").read() == Remembered("h", "ws://a:1", "secret")
    assert Memory(tmp_path / "state", "r2").read() == Remembered()
    (file,) = (tmp_path / "state").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r1.json").write_text('{"hub_id": 7}')
    with pytest.raises(BadOrder, match="cannot be read"):
        Memory(tmp_path, "r1").read()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadOrder, match="cannot be written"):
        Memory(tmp_path / "file" / "in", "r1").write(Remembered())


def test_what_is_ordered_goes_before_what_is_remembered(tmp_path: Path) -> None:
    Memory(tmp_path, "r1").write(Remembered("h", "ws://a:1", "old"))
    home = Home(tmp_path, "r1", "ws://b:2", "given")
    assert (home.url, home.token, home.hub_id, home.may_pair) == ("ws://b:2", "given", "h", False)
    assert Home(tmp_path, "r1").token == "old"
    assert Home(tmp_path, "r1", forget=True).hub_id == ""


def test_being_welcomed_is_remembered(tmp_path: Path) -> None:
    home = Home(tmp_path, "r1", "ws://b:2")
    home.welcomed("h2")
    assert Memory(tmp_path, "r1").read() == Remembered("h2", "ws://b:2", "")


def test_an_order_is_read_from_the_command_line(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("rh_x\n")
    order = read_order(["--robot-id", "r1", "--token-file", str(token), "--mic", "none"])
    assert (order.robot, order.token, order.mic, order.speaker) == ("r1", "rh_x", "none", "default")
    with pytest.raises(BadOrder, match="token file"):
        read_order(["--robot-id", "r1", "--token-file", str(tmp_path / "missing")])
