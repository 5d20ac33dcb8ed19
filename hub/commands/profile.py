"""``robot-hub profile``: the files that say who each robot is, checked and shown."""

from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hub.robots.folder import FOLDER, read_profile
from hub.robots.profile import BadProfile, RobotProfile
from protocols.errors import HubError
from protocols.identity import checked_robot_id


class NoProfile(HubError):
    """A robot has no profile."""

    code = "no_profile"


def check(data_dir: Path, robot: str | None, console: Console) -> bool:
    """Print what is wrong with each profile, or with that of ``robot``; False if anything is.

    Raises:
        NoProfile: ``robot`` has none.
        BadIdentity: ``robot`` is no robot's name.
    """
    right = True
    for path in _files(data_dir, robot):
        try:
            _read(path)
            console.print(f"{path.stem}: right", highlight=False, markup=False)
        except BadProfile as error:
            right = False
            console.print(str(error), highlight=False, markup=False, soft_wrap=True)
    return right


def show(data_dir: Path, robot: str | None, now: datetime, console: Console) -> None:
    """Print what all profiles say, or all that the one of ``robot`` does, at ``now``.

    Raises:
        NoProfile, BadIdentity: as ``check``.
        BadProfile: that of ``robot`` is not as it should be.
    """
    files = _files(data_dir, robot)
    if robot is not None:
        console.print(_one(_read(files[0]), now))
        return
    table = Table("robot", "name", "language", "voice", "volume", "quiet hours", "now")
    for path in files:
        try:
            table.add_row(path.stem, *_row(_read(path), now))
        except BadProfile:
            refused = "[red]refused; see robot-hub profile check[/]"
            table.add_row(path.stem, "", "", "", "", "", refused)
    console.print(table)


def _row(profile: RobotProfile, now: datetime) -> tuple[str, ...]:
    who = profile.character_at(now)
    language = profile.language or "as it says"
    quiet = "quiet" if who.quiet else ""
    volume = f"{who.volume:g}"
    return (
        escape(profile.name), language, escape(profile.voice), volume, profile.quiet_hours, quiet,
    )  # fmt: skip


def _one(profile: RobotProfile, now: datetime) -> Table:
    table = Table("field", "value", "meaning")
    for name, field in RobotProfile.model_fields.items():
        value = getattr(profile, name)
        said = ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
        set_here = "" if name in profile.model_fields_set else "[dim]"
        meaning = " ".join((field.description or "").split()).replace("``", "")
        table.add_row(name, f"{set_here}{escape(said)}", meaning)
    quiet = "quiet" if profile.character_at(now).quiet else "not quiet"
    table.add_row("", quiet, f"at {now.astimezone(profile.zone):%H:%M} where it stands")
    return table


def _files(data_dir: Path, robot: str | None) -> list[Path]:
    folder = data_dir / FOLDER
    if robot is None:
        return sorted(folder.glob("*.toml"))
    path = folder / f"{checked_robot_id(robot)}.toml"
    if not path.is_file():
        raise NoProfile(f"{robot} has no profile: there is no file {path}")
    return [path]


def _read(path: Path) -> RobotProfile:
    try:
        return read_profile(path)
    except OSError as error:
        raise BadProfile(f"{path.name} cannot be read: {error.strerror}") from error
