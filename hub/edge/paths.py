"""What a path says before any route sees it: whose base it lies under, and what is left of it."""

from collections.abc import Iterable
from typing import TypeVar

from hub.listen import FAMILIES

T = TypeVar("T")

BASES = tuple(f"/{family}" for family in FAMILIES)
"""Base paths of the families of routes; under each, the family's paths as its document has them."""


def split_base(path: str) -> tuple[str, str]:
    """The base that ``path`` lies under, or an empty string, and the path under it."""
    end = path.find("/", 1)
    base = path if end < 0 else path[:end]
    return (base, path[end:] if end > 0 else "/") if base in BASES else ("", path)


def lies_under(path: str, prefix: str) -> bool:
    """Whether ``path`` is ``prefix`` or lies below it; ``/planet`` does not lie under ``/plan``."""
    return path == prefix or path.startswith(prefix.rstrip("/") + "/")


def longest(path: str, table: Iterable[tuple[str, T]], default: T) -> T:
    """What ``table`` has for the longest prefix that ``path`` lies under."""
    found, length = default, -1
    for prefix, value in table:
        if len(prefix) > length and lies_under(path, prefix):
            found, length = value, len(prefix)
    return found
