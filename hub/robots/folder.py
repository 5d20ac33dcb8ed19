"""The profiles of all robots, ``robots/ROBOT_ID.toml`` in the data directory, read again when they
change.

A file that is not as it should be changes nothing: the robot stays who it was, and the error is
logged and shown until the file is right.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import structlog

from hub.counters import Counters
from hub.robots.profile import MAX_BYTES, NO_PROFILE, BadProfile, RobotProfile, profile_of
from hub.session.character import Character
from protocols.errors import BadIdentity
from protocols.identity import checked_robot_id

FOLDER = "robots"
LOOK_EVERY_S = 1.0
ALL = "*"
"""Stands for the folder itself, where a robot's name stands for its file."""
_END = ".toml"

log = structlog.get_logger()

Stamp = tuple[int, int, int]
"""When a file was written, how long it is, and which file it is."""
_UNREAD: Stamp = (0, 0, 0)
"""Of a file that is to be tried again at every look."""


class Found(NamedTuple):
    """What one look at the folder has found: every file's stamp, and what has changed since the
    last look: profiles, errors by robot, and what is gone."""

    stamps: dict[str, Stamp]
    profiles: dict[str, RobotProfile]
    errors: dict[str, str]
    gone: frozenset[str]


def look(folder: Path, known: Mapping[str, Stamp]) -> Found:
    """Read what has changed in ``folder`` since the look that found ``known``. Blocks."""
    stamps: dict[str, Stamp] = {}
    profiles: dict[str, RobotProfile] = {}
    errors: dict[str, str] = {}
    try:
        paths = sorted(path for path in folder.iterdir() if path.name.endswith(_END))
    except FileNotFoundError:
        paths = []
    except OSError as error:
        return Found(
            dict(known), {}, {ALL: f"{folder} cannot be read: {error.strerror}"}, frozenset()
        )
    for path in paths:
        robot = path.name.removesuffix(_END)
        try:
            about = path.stat()
            stamp = stamps[robot] = about.st_mtime_ns, about.st_size, about.st_ino
            if known.get(robot) != stamp:
                profiles[robot] = read_profile(path)
        except FileNotFoundError:
            stamps.pop(robot, None)
        except OSError as error:
            stamps[robot] = _UNREAD
            errors[robot] = f"{path.name} cannot be read: {error.strerror}"
        except BadProfile as error:
            errors[robot] = str(error)
    return Found(stamps, profiles, errors, frozenset(known) - frozenset(stamps))


def read_profile(path: Path) -> RobotProfile:
    """The profile in a file.

    Raises:
        BadProfile: it is none, or its name is no robot's.
        OSError: it cannot be read.
    """
    try:
        checked_robot_id(path.name.removesuffix(_END))
    except BadIdentity as error:
        raise BadProfile(f"{path.name} is named after no robot: {error}") from error
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise BadProfile(f"{path.name} is larger than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadProfile(f"{path.name} is not in UTF-8: {error.reason}") from error
    return profile_of(text, path.name)


class ProfileFolder:
    """See the module. ``now`` is the wall clock, in any time zone."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], datetime],
        counters: Counters | None = None,
        changed: Callable[[str], None] = lambda robot: None,
    ) -> None:
        """``changed`` is told which robot's file has changed."""
        self._folder, self._now, self._changed = folder, now, changed
        self._counters = counters or Counters()
        self._stamps: dict[str, Stamp] = {}
        self._profiles: dict[str, RobotProfile] = {}
        self.errors: dict[str, str] = {}
        """By robot, what is wrong with its file."""

    def of(self, robot: str) -> RobotProfile:
        """A robot's profile; one that says nothing where there is none."""
        return self._profiles.get(robot, NO_PROFILE)

    def character(self, robot: str) -> Character:
        """Who a robot is now."""
        return self.of(robot).character_at(self._now())

    async def look(self) -> None:
        """Take up what has changed."""
        self._take(await asyncio.to_thread(look, self._folder, self._stamps))

    async def keep(self, told: Callable[[], None]) -> None:
        """Look every second, for as long as the hub runs, and call ``told`` then: profiles have
        changed, or time has passed."""
        while True:
            await self.look()
            told()
            await asyncio.sleep(LOOK_EVERY_S)

    def _take(self, found: Found) -> None:
        self._stamps = found.stamps
        if ALL not in found.errors:
            self.errors.pop(ALL, None)
        for robot in found.gone:
            self._profiles.pop(robot, None)
            self.errors.pop(robot, None)
            log.info("robot profile gone", robot=robot)
        for robot, profile in found.profiles.items():
            self._profiles[robot] = profile
            self.errors.pop(robot, None)
            self._counters.count("profiles.read")
            log.info("robot profile read", robot=robot)
        news = {robot: why for robot, why in found.errors.items() if self.errors.get(robot) != why}
        for robot, why in news.items():
            self.errors[robot] = why
            self._counters.count("profiles.refused")
            log.error("robot profile refused", robot=robot, reason=why)
        for robot in (*found.gone, *found.profiles, *news):
            self._changed(robot)
