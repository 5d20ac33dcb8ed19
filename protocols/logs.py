"""The shape of a log line, the same in every process: a short constant event and its keys."""

import structlog


def log_processors(json: bool) -> list[structlog.typing.Processor]:
    """What a log event passes through: JSON lines, or text for people to read."""
    return [*_COMMON, _renderer(json)]


def library_formatter(json: bool) -> structlog.stdlib.ProcessorFormatter:
    """Gives what libraries log the same shape; ``logger`` says which one it was."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_COMMON],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(json)],
    )


def _renderer(json: bool) -> structlog.typing.Processor:
    return structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer()


_COMMON: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)
