"""How a program of a robot ends: its exit codes, and errors as one sentence."""

import sys
from collections.abc import Callable

from protocols.errors import HubError
from robot_sim.errors import LinkGone

OK, GONE, CANNOT = 0, 1, 2
"""Told to end; the hub will not have it; it cannot be what was ordered."""


def exit_code_of(command: str, run: Callable[[], int]) -> int:
    """What ``run`` returns; a ``HubError``, also one of a task, is told on stderr instead."""
    try:
        return run()
    except HubError as error:
        return _refuse(command, error)
    except BaseExceptionGroup as group:
        refusals, rest = group.split(HubError)
        if refusals is None or rest is not None:
            raise
        return _refuse(command, refusals)


def _refuse(command: str, error: BaseException) -> int:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    sys.stderr.write(f"robot-hub {command}: {error}\n")
    return GONE if isinstance(error, LinkGone) else CANNOT
