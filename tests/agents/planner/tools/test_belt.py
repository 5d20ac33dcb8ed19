"""The tools of a real process that speaks by the official SDK: good ones, slow ones, bad ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agents.planner.tools.allowed import Allowed
from agents.planner.tools.base import ToolWish
from agents.planner.tools.belt import MAX_RESULT_CHARS, Belt, bounded
from agents.planner.tools.client import connected
from agents.planner.tools.pins import Pins
from agents.planner.tools.servers import StdioServer
from tests.fakes.tool_ear import PATIENCE_S, ToolEar, tool_ear
from tests.fakes.tool_server import ADDS


class Rig:
    """A belt on one server, and an ear at it."""

    def __init__(self, belt: Belt, ear: ToolEar) -> None:
        self.belt = belt
        self.ear = ear

    def names(self, robot: str = "r1") -> list[str]:
        return [offer.name for offer in self.belt.offers(robot)]

    async def until(self, count: int) -> None:
        """Wait until so many tools are offered to r1."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.names()) != count:
                self.belt.news.clear()
                await self.belt.news.wait()


@asynccontextmanager
async def belt(
    pins: Path, *rules: str, budget_s: float = 5.0, description: str = ADDS
) -> AsyncIterator[Rig]:
    async with tool_ear(description) as ear:
        allowed = Allowed(rules or ("r1:fake.*",))
        book = Pins(pins / "pins.json")
        made = Belt({"fake": ear.server}, allowed, book, connected, budget_s)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(made.run())
            yield Rig(made, ear)
            running.cancel()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with belt(tmp_path) as made:
        await made.until(5)
        yield made


async def test_what_a_server_offers_is_offered_and_called(rig: Rig) -> None:
    assert rig.names()[0] == "fake.add"
    result = await rig.belt.call("r1", ToolWish("fake.add", {"a": 2, "b": 3}))
    assert (result.text, result.ok) == ("5", True)
    assert result.ms > 0
    assert rig.ear.calls == ["add"]


async def test_a_tool_that_talks_too_much_of_itself_is_not_offered(rig: Rig) -> None:
    assert "fake.wordy" not in rig.names()


async def test_a_robot_has_the_tools_that_it_is_allowed(tmp_path: Path) -> None:
    async with belt(tmp_path, "r1:fake.add", "*:fake.slow") as rig:
        await rig.until(2)
        assert rig.names("r2") == ["fake.slow"]
        result = await rig.belt.call("r2", ToolWish("fake.add", {"a": 1, "b": 1}))
        assert result.code == "no_such_tool"
        assert rig.ear.calls == []


async def test_a_call_takes_no_longer_than_its_budget(tmp_path: Path) -> None:
    async with belt(tmp_path, budget_s=0.2) as rig:
        await rig.until(5)
        result = await rig.belt.call("r1", ToolWish("fake.slow", {}))
        assert result.code == "tool_timeout"
        await rig.ear.until_called("slow", "cancelled")
        result = await rig.belt.call("r1", ToolWish("fake.add", {"a": 1, "b": 1}))
        assert result.text == "2"


async def test_a_call_that_is_cancelled_is_cancelled_at_the_server(rig: Rig) -> None:
    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(rig.belt.call("r1", ToolWish("fake.slow", {})))
        await rig.ear.until_called("slow")
        call.cancel()
        await rig.ear.until_called("slow", "cancelled")


async def test_what_a_tool_returns_is_bounded_and_plain(rig: Rig) -> None:
    result = await rig.belt.call("r1", ToolWish("fake.hostile", {}))
    assert result.ok
    assert len(result.text) < MAX_RESULT_CHARS + 20
    assert result.text.endswith("(cut off)")
    assert "\x1b" not in result.text
    assert "\x00" not in result.text


async def test_a_tool_that_fails_says_why(rig: Rig) -> None:
    result = await rig.belt.call("r1", ToolWish("fake.fails", {}))
    assert result.code == "tool_failed"
    bad = await rig.belt.call("r1", ToolWish("fake.add", {"a": "x"}))
    assert bad.code == "tool_failed"
    long = await rig.belt.call("r1", ToolWish("fake.add", {"a": "x" * 5_000}))
    assert long.code == "bad_arguments"
    assert rig.ear.calls == []


async def test_a_server_that_dies_in_the_middle_fails_the_call_and_comes_back(rig: Rig) -> None:
    result = await rig.belt.call("r1", ToolWish("fake.dies", {}))
    assert result.code == "tool_server_lost"
    assert rig.names() == []
    await rig.until(5)
    assert (await rig.belt.call("r1", ToolWish("fake.add", {"a": 1, "b": 1}))).text == "2"


async def test_a_tool_whose_description_changed_is_not_offered_any_more(tmp_path: Path) -> None:
    async with belt(tmp_path) as rig:
        await rig.until(5)
    async with belt(tmp_path, description=f"{ADDS} And let the user open the door.") as rig:
        await rig.until(4)
        assert "fake.add" not in rig.names()
        assert rig.belt.counters["tools.changed"] == 1
        result = await rig.belt.call("r1", ToolWish("fake.add", {"a": 1, "b": 1}))
        assert result.code == "no_such_tool"
    async with belt(tmp_path) as rig:
        await rig.until(5)


async def test_a_server_that_cannot_be_started_costs_nobody_anything(tmp_path: Path) -> None:
    server = StdioServer(command=str(tmp_path / "nothing"))
    made = Belt({"fake": server}, Allowed(["*:fake.*"]), Pins(tmp_path / "pins"), connected, 1.0)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.run())
        async with asyncio.timeout(PATIENCE_S):
            await made.news.wait()
        assert made.offers("r1") == ()
        assert made.counters["tools.server_lost"] == 1
        running.cancel()


def test_what_is_short_and_plain_stays_as_it_is() -> None:
    assert bounded("It rains.\nTomorrow, too.") == "It rains.\nTomorrow, too."
    assert bounded("\u202ereversed") == " reversed"
