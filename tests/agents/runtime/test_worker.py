"""The worker process: a real child, real pipes."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from agents.runtime.errors import AgentError, BackendUnavailable, WorkerDied
from agents.runtime.worker import WorkerProcess
from agents.runtime.worker_child import AHEAD

COUNTER = "tests.agents.runtime.engines:Counter"


@asynccontextmanager
async def worker(target: str = COUNTER, *args: int) -> AsyncIterator[WorkerProcess]:
    process = WorkerProcess(target, *args)
    await process.start()
    try:
        yield process
    finally:
        await process.close()


async def test_the_engine_keeps_its_state_between_calls() -> None:
    async with worker(COUNTER, 10) as counter:
        assert await counter.call("add", 1) == 11
        assert await counter.call("add", 2) == 13
        assert await counter.call("size", b"\0" * 1_000_000) == 1_000_000


def test_the_loop_may_be_uvloop() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def add() -> int:
        async with worker() as counter:
            return await counter.call("add", 1)

    with asyncio.Runner(loop_factory=uvloop.Loop) as runner:
        assert runner.run(add()) == 1


async def test_calls_made_together_are_served_in_order() -> None:
    async with worker() as counter:
        assert await asyncio.gather(*(counter.call("add", 1) for _ in range(5))) == [1, 2, 3, 4, 5]


async def test_a_stream_yields_all_items() -> None:
    async with worker() as counter, aclosing(counter.stream("stairs", 100)) as items:
        assert [item async for item in items] == list(range(100))


async def test_a_closed_stream_stops_the_engine_between_steps() -> None:
    async with worker() as counter:
        async with aclosing(counter.stream("stairs", 1_000_000_000)) as items:
            async for item in items:
                if item == 7:
                    break
        assert await counter.call("closed") == 1


async def test_a_stream_waits_for_its_reader() -> None:
    async with worker() as counter:
        async with aclosing(counter.stream("stairs", 1_000_000_000)) as items:
            await anext(items)
            assert await anext(items) == 1
            async with worker():
                """Starting another child is time enough to run far ahead."""
        assert await counter.call("made") <= 2 + AHEAD


async def test_a_coded_error_of_the_engine_keeps_its_code_and_the_child() -> None:
    async with worker() as counter:
        pid = await counter.call("pid")
        with pytest.raises(AgentError, match="one at a time") as refused:
            await counter.call("refuse")
        assert refused.value.code == "backend_busy"
        with pytest.raises(AgentError, match="slipped"):
            async with aclosing(counter.stream("slip")) as items:
                assert [item async for item in items] == [1]
        assert await counter.call("pid") == pid


async def test_a_dead_child_fails_its_caller_and_is_replaced() -> None:
    async with worker() as counter:
        await counter.call("add", 5)
        with pytest.raises(WorkerDied, match="status 3"):
            await counter.call("crash")
        assert await counter.call("add", 1) == 1
        assert counter.restarts == 1


async def test_an_order_not_begun_is_skipped_when_its_caller_is_cancelled(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with worker() as counter, asyncio.TaskGroup() as tasks:
        tasks.create_task(counter.call("wait_at", str(gate)))
        opened = await asyncio.to_thread(os.open, gate, os.O_WRONLY)  # the child is at the gate
        waiting = tasks.create_task(counter.call("add", 100))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        os.close(opened)
        assert await counter.call("add", 1) == 1


async def test_what_the_engine_prints_does_not_disturb_the_wire() -> None:
    async with worker() as counter:
        assert await counter.call("say", "x" * 10_000) is None
        assert await counter.call("add", 1) == 1


@pytest.mark.parametrize("target", ["tests.agents.runtime.engines:missing", "no.such:engine"])
async def test_an_engine_that_cannot_be_built_is_unavailable(target: str) -> None:
    process = WorkerProcess(target)
    with pytest.raises(BackendUnavailable):
        await process.start()
    await process.close()


async def test_closing_ends_the_child() -> None:
    async with worker() as counter:
        pid = await counter.call("pid")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
