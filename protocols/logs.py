"""The shape of a log line, the same in every process: a short constant event and its keys."""

import structlog


def log_processors(json: bool) -> list[structlog.typing.Processor]:
    """What a log event passes through: JSON lines, or text for people to read."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer()
    )
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        renderer,
    ]
