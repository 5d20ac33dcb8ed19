"""Profiles that are edited while the hub runs."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.counters import Counters
from hub.robots.folder import ProfileFolder
from hub.robots.profile import RobotProfile

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> ProfileFolder:
    return ProfileFolder(tmp_path / "robots", lambda: NOON, Counters())


def write(tmp_path: Path, name: str, text: str | bytes) -> Path:
    path = tmp_path / "robots" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


async def test_without_a_folder_nobody_has_a_profile(folder: ProfileFolder) -> None:
    await folder.look()
    assert folder.of("r1").name == ""
    assert folder.errors == {}


async def test_a_file_is_taken_up_when_it_comes_changes_and_goes(
    folder: ProfileFolder, tmp_path: Path
) -> None:
    path = write(tmp_path, "r1.toml", 'name = "Milo"')
    await folder.look()
    assert folder.character("r1").name == "Milo"
    assert folder.character("r2").name == ""
    write(tmp_path, "r1.toml", 'name = "Otto"')
    await folder.look()
    assert folder.character("r1").name == "Otto"
    path.unlink()
    await folder.look()
    assert folder.character("r1").name == ""


async def test_a_file_that_an_editor_puts_in_its_place_is_taken_up_though_it_is_as_old_and_long(
    folder: ProfileFolder, tmp_path: Path
) -> None:
    path = write(tmp_path, "r1.toml", 'name = "Milo"')
    await folder.look()
    about = path.stat()
    other = write(tmp_path, "r1.tmp", 'name = "Otto"')
    os.utime(other, ns=(about.st_atime_ns, about.st_mtime_ns))
    other.replace(path)
    await folder.look()
    assert folder.character("r1").name == "Otto"


async def test_a_bad_file_leaves_the_robot_who_it_was_until_it_is_right(
    folder: ProfileFolder, tmp_path: Path
) -> None:
    write(tmp_path, "r1.toml", 'name = "Milo"')
    await folder.look()
    write(tmp_path, "r1.toml", 'nam = "Otto"')
    await folder.look()
    assert folder.character("r1").name == "Milo"
    assert folder.errors == {"r1": "r1.toml: nam is no field of a robot's profile; is name meant?"}
    write(tmp_path, "r1.toml", 'name = "Otto"')
    await folder.look()
    assert folder.character("r1").name == "Otto"
    assert folder.errors == {}


async def test_a_bad_file_that_goes_takes_its_error_with_it(
    folder: ProfileFolder, tmp_path: Path
) -> None:
    path = write(tmp_path, "r1.toml", "nam = 1")
    await folder.look()
    path.unlink()
    await folder.look()
    assert folder.errors == {}


async def test_an_error_is_counted_once_however_often_it_is_looked_at(
    folder: ProfileFolder, tmp_path: Path
) -> None:
    counters = Counters()
    folder = ProfileFolder(tmp_path / "robots", lambda: NOON, counters)
    write(tmp_path, "r1.toml", "nam = 1")
    for _ in range(3):
        await folder.look()
    assert counters.read()["profiles.refused"] == 1


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("r1.toml", b"\xff\xfe", "is not in UTF-8"),
        ("r1.toml", b"#" * 70_000, "is larger than 64 KiB"),
        ("a b.toml", b"", "is named after no robot"),
    ],
)
async def test_a_file_that_is_no_profile_at_all_is_an_error(
    folder: ProfileFolder, tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    write(tmp_path, name, content)
    await folder.look()
    (error,) = folder.errors.values()
    assert why in error


async def test_a_directory_in_the_place_of_a_file_is_an_error(
    folder: ProfileFolder, tmp_path: Path
) -> None:
    (tmp_path / "robots" / "r1.toml").mkdir(parents=True)
    await folder.look()
    assert "cannot be read" in folder.errors["r1"]
    await folder.look()
    assert "cannot be read" in folder.errors["r1"]


async def test_a_folder_that_cannot_be_read_leaves_the_robots_who_they_were(
    folder: ProfileFolder, tmp_path: Path
) -> None:
    write(tmp_path, "r1.toml", 'name = "Milo"')
    await folder.look()
    (tmp_path / "robots").rename(tmp_path / "away")
    (tmp_path / "robots").write_text("no folder")
    await folder.look()
    assert folder.character("r1").name == "Milo"
    assert "cannot be read" in folder.errors["*"]
    (tmp_path / "robots").unlink()
    (tmp_path / "away").rename(tmp_path / "robots")
    await folder.look()
    assert folder.errors == {}
    assert folder.character("r1").name == "Milo"


async def test_a_file_that_could_not_be_read_is_tried_again_though_it_has_not_changed(
    folder: ProfileFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> RobotProfile:
        raise PermissionError(13, "Permission denied")

    write(tmp_path, "r1.toml", 'name = "Milo"')
    with monkeypatch.context() as patched:
        patched.setattr("hub.robots.folder.read_profile", refused)
        await folder.look()
    assert folder.errors == {"r1": "r1.toml cannot be read: Permission denied"}
    await folder.look()
    assert folder.character("r1").name == "Milo"
    assert folder.errors == {}
