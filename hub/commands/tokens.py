"""``robot-hub tokens``: on the data directory itself, whether or not its hub is running."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hub.errors import DataDirUnusable
from hub.store import tokens
from hub.store.tokens import Scope, UnknownToken


def scope_named(name: str | None) -> Scope | None:
    """The scope that a user means; raises ``BadToken``."""
    if name is None:
        return None
    try:
        return Scope(name.strip().lower())
    except ValueError:
        raise tokens.BadToken(f"{name!r} is no scope; there are {', '.join(Scope)}") from None


def add(
    data_dir: Path,
    robot: str | None,
    label: str,
    scope: Scope | None = None,
    rate: int | None = None,
) -> str:
    """Make a token and return it: for ``robot``, or for a program or a person.

    Args:
        scope: what it is for; without one a robot's, or a client's where no robot is named.
        rate: requests per minute, if not what the settings say.

    Raises:
        BadIdentity: ``robot`` cannot be a robot's name.
        BadToken: scope, robot and rate contradict each other.
        DataDirUnusable: the data directory cannot be written.
    """
    with closing(_opened(data_dir)) as db:
        return tokens.create(db, robot or tokens.ANY_ROBOT, label, scope=scope, rate=rate)


def show(data_dir: Path, console: Console) -> None:
    """Print all tokens without their secrets; raises ``DataDirUnusable``."""
    with closing(_opened(data_dir)) as db:
        rows = tokens.listed(db)
    table = Table("id", "scope", "robot", "label", "a minute", "made")
    for token in rows:
        robot = "any" if token.robot == tokens.ANY_ROBOT else token.robot
        rate = "" if token.rate is None else str(token.rate)
        made = datetime.fromtimestamp(token.created_s, UTC).astimezone()
        made_at = made.strftime("%Y-%m-%d %H:%M")
        table.add_row(token.id, token.scope, robot, token.label, rate, made_at)
    console.print(table)


def revoke(data_dir: Path, token_id: str) -> None:
    """Make a token worthless from its next use on.

    Raises:
        UnknownToken: there is none of that id.
        DataDirUnusable: the data directory cannot be written.
    """
    with closing(_opened(data_dir)) as db:
        if not tokens.revoke(db, token_id):
            raise UnknownToken(f"there is no token {token_id!r}; `robot-hub tokens list` has them")


def _opened(data_dir: Path) -> sqlite3.Connection:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DataDirUnusable(
            f"the data directory {data_dir} cannot be made: {error.strerror}"
        ) from error
    return tokens.open_tokens(data_dir)
