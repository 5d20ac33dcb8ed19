"""Origins as a person writes them into a setting (RFC 6454: scheme, host, port)."""

import re

NONE = "none"
"""Written where there is to be no origin at all: an empty variable counts as one not set."""
_ORIGIN = re.compile(r"https?://[^/*?#\s]+/?")


def checked_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """``origins``, none for the word ``none``.

    Raises:
        ValueError: one of them is no origin. ``*``, which would be every page of the web, is none.
    """
    if origins == (NONE,):
        return ()
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"names {origin!r}; an origin is like https://host:port, or {NONE}")
    return origins
