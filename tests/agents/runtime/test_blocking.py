"""Blocking generators in threads, read from the loop."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import aclosing

import pytest

from agents.runtime.blocking import iterate


class Engine:
    """Counts its steps and says when, and on which thread, it was closed."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = threading.Event()
        self.thread = ""

    def steps(self, limit: int = 1_000_000_000) -> Generator[int, None, None]:
        try:
            for step in range(limit):
                self.made += 1
                yield step
        finally:
            self.thread = threading.current_thread().name
            self.closed.set()


async def test_all_items_come_in_order_and_off_the_loop() -> None:
    engine = Engine()
    async with aclosing(iterate(lambda: engine.steps(100))) as items:
        assert [item async for item in items] == list(range(100))
    assert engine.thread == "blocking-engine"


async def test_the_engine_stays_a_few_steps_ahead_of_its_reader() -> None:
    engine = Engine()
    async with aclosing(iterate(engine.steps, ahead=3)) as items:
        await anext(items)
    assert await asyncio.to_thread(engine.closed.wait, 5)
    assert engine.made <= 1 + 3


async def test_a_cancelled_reader_stops_the_engine_between_steps() -> None:
    engine = Engine()
    reading = asyncio.Event()

    async def read() -> None:
        async with aclosing(iterate(engine.steps)) as items:
            async for _ in items:
                reading.set()
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        reader = tasks.create_task(read())
        await reading.wait()
        reader.cancel()
    assert await asyncio.to_thread(engine.closed.wait, 5)


async def test_an_error_of_the_engine_comes_after_its_items() -> None:
    def steps() -> Generator[int, None, None]:
        yield 1
        raise ValueError("worn out")

    async with aclosing(iterate(steps)) as items:
        assert await anext(items) == 1
        with pytest.raises(ValueError, match="worn out"):
            await anext(items)
