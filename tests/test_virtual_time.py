"""Virtual time itself: it jumps, it is deterministic, and a hang fails at once."""

import asyncio
import itertools
import time

import pytest

from tests.virtual_time import Hang, clock_ns, run, virtual


@virtual
async def test_an_hour_passes_at_once() -> None:
    began, began_ns = time.perf_counter(), clock_ns()
    await asyncio.sleep(3_000)
    assert clock_ns() - began_ns == 3_000_000_000_000
    assert time.perf_counter() - began < 1


@virtual
async def test_timers_fire_in_the_order_of_their_times() -> None:
    fired: list[float] = []

    async def after(seconds: float) -> None:
        await asyncio.sleep(seconds)
        fired.append(seconds)

    async with asyncio.TaskGroup() as tasks:
        for seconds in (3, 0.5, 20, 1):
            tasks.create_task(after(seconds))
    assert fired == [0.5, 1, 3, 20]


@virtual
async def test_a_timeout_is_virtual_too() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10):
            await asyncio.Event().wait()


def test_waiting_for_what_cannot_happen_is_a_hang() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Hang, match="every task waits"):
        run(wait())


def test_a_heartbeat_does_not_hide_a_hang() -> None:
    async def beat() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0.5)

    with pytest.raises(Hang, match="virtual time"):
        run(beat())


def test_spinning_is_a_hang() -> None:
    async def spin() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0)

    with pytest.raises(Hang, match="spinning"):
        run(spin())


@virtual
async def test_what_would_go_to_a_thread_runs_on_the_spot() -> None:
    assert await asyncio.to_thread(sum, [1, 2, 3]) == 6
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(divmod, 1, 0)


@virtual
@pytest.mark.parametrize("number", [1, 2])
async def test_parameters_and_fixtures_reach_a_virtual_test(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert number in (1, 2)
    assert monkeypatch is not None
