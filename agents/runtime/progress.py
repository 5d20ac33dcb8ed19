"""How a backend tells of a load or download without knowing of the bus.

A backend calls :func:`progress` anywhere below its ``start``, from the loop or from a thread that
``asyncio.to_thread`` made; the process that started it publishes ``agent.progress``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from protocols.messages.agent import AgentProgress

Report = Callable[[AgentProgress], None]

_report: ContextVar[Report | None] = ContextVar("agent_progress", default=None)


def progress(step: str, done: float = 0.0, total: float = 0.0, unit: str = "") -> None:
    """Report ``done`` of ``total`` (0 unknown) in ``unit``; does nothing outside a process."""
    report = _report.get()
    if report is not None:
        report(AgentProgress(step=step, done=done, total=total, unit=unit))


@contextmanager
def reporting_to(report: Report) -> Iterator[None]:
    """Hand every :func:`progress` of this context, and of threads made in it, to ``report``."""
    token = _report.set(report)
    try:
        yield
    finally:
        _report.reset(token)
