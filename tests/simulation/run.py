"""Runs one seed to its end and says what came of it."""

import asyncio
import contextlib
import logging
import warnings
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import structlog

from tests import virtual_time
from tests.simulation.plan import Fault, Plan, plan
from tests.simulation.story import Violation
from tests.simulation.world import World


class Result(NamedTuple):
    """What came of a seed. ``digest`` is the hash of everything that happened, in order."""

    seed: int
    plan: Plan
    digest: str
    violations: tuple[Violation, ...]
    story: tuple[str, ...]


def run(seed: int, without: Iterable[Fault] = (), world: type[World] = World) -> Result:
    """Run ``seed`` without faults of some classes, in a world of the given kind."""
    chosen = plan(seed, without)
    with _quiet():
        lived = virtual_time.run(_live(chosen, world))
    story = lived.story
    return Result(seed, chosen, story.digest, tuple(story.violations), tuple(story.lines()))


async def _live(chosen: Plan, world: type[World]) -> World:
    async with asyncio.TaskGroup() as tasks:
        lived = world(chosen, tasks)
        try:
            await lived.live()
        except Exception as error:
            lived.story.violated("crash", "", f"the world: {error!r}")
        await lived.end()
        for task in [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]:
            task.cancel()
    return lived


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """A seed tells its own story: the logs of thousands of hubs are nobody's."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with warnings.catch_warnings():
            # A hub that is killed leaves unfinished what it had just begun.
            warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
            yield
    finally:
        structlog.configure(**before)
