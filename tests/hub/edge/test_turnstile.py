"""Requests begin one in each turn of the loop, apart while a robot is answered, and no one who leaves
stands in the way."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from hub.counters import Counters
from hub.edge.turnstile import APART_S, MOST_WAITING, Turnstile
from tests.virtual_time import clock_ns, virtual


async def nothing() -> Message:
    return {"type": "http.disconnect"}


async def nowhere(message: Message) -> None:
    """Nobody reads it."""


class Turns:
    """Counts the turns of the loop, and notes in which each request began."""

    def __init__(self) -> None:
        self.now = 0
        self.begun: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(self.now)

    async def count(self) -> None:
        while True:
            self.now += 1
            await asyncio.sleep(0)


async def let_in(kinds: list[str], leave: int = -1) -> Turns:
    turns = Turns()
    turnstile = Turnstile(turns, Counters())
    async with asyncio.TaskGroup() as group:
        clock = group.create_task(turns.count())
        tasks = [group.create_task(turnstile({"type": kind}, nothing, nowhere)) for kind in kinds]
        if leave >= 0:
            await asyncio.sleep(0)
            tasks[leave].cancel()
        await asyncio.wait(tasks)
        clock.cancel()
    return turns


async def test_requests_that_come_together_begin_in_turns_of_their_own() -> None:
    turns = await let_in(["http"] * 20)
    assert len(set(turns.begun)) == 20


async def test_a_websocket_does_not_wait_for_requests() -> None:
    turns = await let_in(["http"] * 20 + ["websocket"])
    assert turns.begun[0] == 1
    assert len(turns.begun) == 21


async def test_who_leaves_while_it_waits_lets_the_next_one_in() -> None:
    for leave in range(5):
        turns = await let_in(["http"] * 5, leave)
        assert len(set(turns.begun)) == 4


@virtual
async def test_while_a_robot_is_answered_they_begin_apart_and_a_single_one_at_once() -> None:
    begun: list[float] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(clock_ns() / 1e9)

    answered = True
    turnstile = Turnstile(note, Counters(), lambda: answered, lambda: clock_ns() / 1e9)

    async def five() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(turnstile({"type": "http"}, nothing, nowhere))

    began_s = clock_ns() / 1e9
    await five()
    assert begun == pytest.approx([began_s + n * APART_S for n in range(5)])
    await asyncio.sleep(1.0)
    begun.clear()
    await turnstile({"type": "http"}, nothing, nowhere)
    assert begun == [clock_ns() / 1e9]
    await asyncio.sleep(1.0)
    begun.clear()
    answered = False
    await five()
    assert begun == pytest.approx([clock_ns() / 1e9] * 5)


@virtual
async def test_a_flood_waits_no_longer_than_so_many_do() -> None:
    begun: list[float] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(clock_ns() / 1e9)

    counters = Counters()
    turnstile = Turnstile(note, counters, lambda: True, lambda: clock_ns() / 1e9)
    began_s = clock_ns() / 1e9
    async with asyncio.TaskGroup() as group:
        for _ in range(1_000):
            group.create_task(turnstile({"type": "http"}, nothing, nowhere))
    assert len(begun) == 1_000
    assert max(begun) - began_s <= MOST_WAITING * APART_S
    assert counters.read() == {"requests.let_through": 1_000 - MOST_WAITING}
