"""Logs of an agent: short constant events with keys, never what people say.

Robot, session, turn and job are bound once per scope by contextvars.
"""

import logging
import sys

import structlog

from protocols.logs import library_formatter, log_processors

AGENT_STARTING = "agent.starting"
AGENT_READY = "agent.ready"
AGENT_DRAINING = "agent.draining"
AGENT_LEAVING = "agent.leaving"
LINK_UP = "link.up"
LINK_LOST = "link.lost"
SCOPE_FAILED = "scope.failed"
WORKER_DIED = "worker.died"


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
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(library_formatter(json))
    # Below a warning their lines hold whole URLs, and those may hold what is secret.
    quiet = max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()])
    logging.basicConfig(level=quiet, handlers=[libraries], force=True)
