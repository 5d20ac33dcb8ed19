"""``robot-hub profile``, as its user meets it."""

from pathlib import Path

import pytest

from tests.command_line import robot_hub

pytestmark = pytest.mark.e2e


def write(tmp_path: Path, name: str, text: str) -> None:
    folder = tmp_path / "data" / "robots"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def test_profiles_that_are_right_are_said_to_be(tmp_path: Path) -> None:
    write(tmp_path, "kitchen.toml", 'name = "Milo"')
    write(tmp_path, "attic.toml", "")
    result = robot_hub("profile", "check", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "attic: right\nkitchen: right\n")


def test_a_mistake_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    write(tmp_path, "kitchen.toml", "volum = 1")
    write(tmp_path, "attic.toml", "")
    result = robot_hub("profile", "check", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stdout.splitlines() == [
        "attic: right",
        "kitchen.toml: volum is no field of a robot's profile; is volume meant?",
    ]
    alone = robot_hub("profile", "check", "attic", cwd=tmp_path)
    assert alone.returncode == 0


def test_a_robot_without_a_profile_is_one_sentence(tmp_path: Path) -> None:
    for command in ("check", "show"):
        result = robot_hub("profile", command, "kitchen", cwd=tmp_path)
        assert result.returncode == 2
        (sentence,) = result.stderr.splitlines()
        assert sentence.startswith("robot-hub: kitchen has no profile: there is no file ")


def test_a_name_that_is_no_robots_is_one_sentence(tmp_path: Path) -> None:
    result = robot_hub("profile", "show", "../hub", cwd=tmp_path)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1


def test_what_a_profile_says_is_shown(tmp_path: Path) -> None:
    quiet = 'name = "Milo"\ntime_zone = "UTC"\nquiet_hours = "00:00-23:59"\nquiet_volume = 0.3'
    write(tmp_path, "kitchen.toml", quiet)
    listed = robot_hub("profile", "show", cwd=tmp_path)
    assert listed.returncode == 0
    assert "Milo" in listed.stdout
    write(tmp_path, "attic.toml", "volum = 1")
    listed = robot_hub("profile", "show", cwd=tmp_path, COLUMNS="120")
    assert listed.returncode == 0
    assert "refused" in listed.stdout
    one = robot_hub("profile", "show", "kitchen", cwd=tmp_path, COLUMNS="120")
    assert one.returncode == 0
    assert "00:00-23:59" in one.stdout
    assert "where it stands" in one.stdout
