"""How a backend tells its process that the engine behind it is gone and will not come back.

Whatever waits for the engine fails by itself, with a coded error; the process then takes nothing
new, ends loudly, and is started again by whoever keeps it running.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from agents.runtime.errors import EngineDied

Report = Callable[[EngineDied], None]

_report: ContextVar[Report | None] = ContextVar("engine_death", default=None)


def engine_died(reason: str) -> None:
    """End this agent because its engine ended; does nothing outside a process."""
    report = _report.get()
    if report is not None:
        report(EngineDied(reason))


@contextmanager
def deaths_told_to(report: Report) -> Iterator[None]:
    """Hand every :func:`engine_died` of this context, and of tasks made in it, to ``report``."""
    token = _report.set(report)
    try:
        yield
    finally:
        _report.reset(token)
