"""What this process was told from outside: the one place that reads it."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

ENV_FILE = Path(".env")


def environment() -> Mapping[str, str]:
    """The environment of this process."""
    return os.environ  # noqa: TID251 - the one place that reads it


def dotenv(path: Path = ENV_FILE) -> dict[str, str]:
    """The values that stand in a ``.env``; none where there is no such file.

    Raises:
        OSError, UnicodeError: it cannot be read.
    """
    return {k: v for k, v in dotenv_values(path).items() if v is not None}
