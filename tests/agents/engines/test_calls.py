"""Engines that call back, read as iterators."""

import asyncio
import threading
from contextlib import aclosing

import pytest

from agents.engines.calls import Left, Teller, told

PATIENCE_S = 10.0


class Counting:
    """An engine of endless steps; ``over`` once it was left, ``steps`` counts those it took."""

    def __init__(self) -> None:
        self.steps = 0
        self.over = threading.Event()
        self.go_on = threading.Semaphore(0)

    def work(self, tell: Teller[int]) -> None:
        try:
            while True:
                self.steps += 1
                tell(self.steps)
                assert self.go_on.acquire(timeout=PATIENCE_S)
                tell.check()
        except Left:
            self.over.set()
            raise


async def test_what_is_told_comes_in_order_and_ends_with_the_work() -> None:
    def work(tell: Teller[int]) -> None:
        for number in range(100):
            tell(number)

    async with aclosing(told(work)) as items:
        assert [item async for item in items] == list(range(100))


async def test_what_the_work_raises_comes_after_what_it_told() -> None:
    def work(tell: Teller[int]) -> None:
        tell(1)
        raise ValueError("no second step")

    async with aclosing(told(work)) as items:
        assert await anext(items) == 1
        with pytest.raises(ValueError, match="no second step"):
            await anext(items)


async def test_work_that_nobody_reads_takes_no_further_step() -> None:
    engine = Counting()
    async with aclosing(told(engine.work)) as items:
        assert await anext(items) == 1
        engine.go_on.release()
        assert await anext(items) == 2
    engine.go_on.release()
    assert await asyncio.to_thread(engine.over.wait, PATIENCE_S)
    assert engine.steps == 2


async def test_a_reader_that_is_cancelled_leaves_as_one_that_closes() -> None:
    engine = Counting()

    async def read() -> None:
        async with aclosing(told(engine.work)) as items:
            async for _ in items:
                pass

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        await asyncio.sleep(0)
        reading.cancel()
    engine.go_on.release()
    assert await asyncio.to_thread(engine.over.wait, PATIENCE_S)
    assert engine.steps == 1


async def test_work_can_ask_whether_it_is_left() -> None:
    asked: list[bool] = []
    goes_on, over = threading.Event(), threading.Event()

    def work(tell: Teller[int]) -> None:
        asked.append(tell.is_left())
        tell(1)
        assert goes_on.wait(PATIENCE_S)
        asked.append(tell.is_left())
        over.set()

    async with aclosing(told(work)) as items:
        await anext(items)
    goes_on.set()
    assert await asyncio.to_thread(over.wait, PATIENCE_S)
    assert asked == [False, True]
