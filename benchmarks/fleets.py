"""Fleets of light robots on a stack, run from a benchmark."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import uvloop

from benchmarks.stack import Stack
from robot_sim.load.fleet import FleetOptions
from robot_sim.load.result import LoadResult
from robot_sim.load.run import LoadOptions, run_load
from robot_sim.load.usage import running_under
from robot_sim.load.user import Habits

T = TypeVar("T")


def converse(
    hub: Stack, robots: int, seconds: float, name: str = "fleet", habits: Habits | None = None
) -> LoadResult:
    """Let ``robots`` converse with a hub in bench mode for ``seconds``."""
    options = LoadOptions(
        fleet=FleetOptions(url=hub.url, robots=robots, name=name, habits=habits or Habits()),
        seconds=seconds,
        processes=lambda: running_under(hub.supervisor_pid),
        last_words=False,
    )
    return on_a_loop(lambda: run_load(options))


def on_a_loop(work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work`` on uvloop's loop and return what it gives."""

    async def run() -> T:
        return await work()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def faults_note(result: LoadResult) -> str:
    """What was wrong in a run, for a row's note; empty if nothing was."""
    faults = result.faults
    return f"{len(faults)} faults, first: {faults[0]}" if faults else ""
