"""``robot-hub tokens``: on the data directory itself, whether or not its hub is running."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hub.errors import DataDirUnusable
from hub.store import tokens
from protocols.errors import HubError


class UnknownToken(HubError):
    """There is no token of that id."""

    code = "unknown_token"


def add(data_dir: Path, robot: str | None, label: str) -> str:
    """Make a token for ``robot``, or for a program that may act for any; return it.

    Raises:
        BadIdentity: ``robot`` cannot be a robot's name.
        DataDirUnusable: the data directory cannot be written.
    """
    with closing(_opened(data_dir)) as db:
        return tokens.create(db, robot or tokens.ANY_ROBOT, label)


def show(data_dir: Path, console: Console) -> None:
    """Print all tokens without their secrets; raises ``DataDirUnusable``."""
    with closing(_opened(data_dir)) as db:
        rows = tokens.listed(db)
    table = Table("id", "for", "label", "made")
    for token in rows:
        owner = "any robot" if token.robot == tokens.ANY_ROBOT else token.robot
        made = datetime.fromtimestamp(token.created_s, UTC).astimezone()
        table.add_row(token.id, owner, token.label, made.strftime("%Y-%m-%d %H:%M"))
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
