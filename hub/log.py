"""Logs of the hub: short constant events with keys, never what people say."""

import logging
import sys

import structlog

from protocols.logs import log_processors


def configure_logs(level: str, *, json: bool) -> None:
    """Send logs to stderr from ``level`` on, as JSON lines or for people to read."""
    structlog.configure(
        processors=log_processors(json),
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
