"""Logs of the hub: short constant events with keys, never what people say."""

import logging
import sys

import structlog

from hub.log_ring import LogRing
from protocols.logs import library_formatter, log_processors


def configure_logs(level: str, *, json: bool, kept: LogRing | None = None) -> None:
    """Send logs to stderr from ``level`` on, as JSON lines or for people to read; ``kept`` is shown
    every line, too."""
    *shaped, rendered = log_processors(json)
    structlog.configure(
        processors=[*shaped, *([kept] if kept is not None else []), rendered],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(library_formatter(json))
    # Below a warning their lines hold whole URLs, and those may hold what is secret.
    quiet = max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()])
    logging.basicConfig(level=quiet, handlers=[libraries], force=True)
