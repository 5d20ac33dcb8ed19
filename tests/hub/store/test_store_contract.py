"""What every store promises, in memory and on disk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.open_turn import OpenTurn, Phrase
from hub.store.base import Leftover, Record, Store
from hub.store.memory import MemoryStore
from hub.store.sqlite import SqliteStore
from protocols.messages.speech import WordMark
from protocols.messages.turn import Exchange, Priority


class WallClock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


def said(turn: int, user: str = "hello", robot: str = "hi there") -> Record:
    return Record("sess-1", Exchange(turn=turn, user=user, robot=robot, emotion="happy"))


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture(params=["memory", "sqlite"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: WallClock
) -> AsyncIterator[Store]:
    made: Store = MemoryStore(clock) if request.param == "memory" else SqliteStore(tmp_path, clock)
    await made.open()
    yield made
    await made.close()


async def test_epochs_rise_per_robot_and_never_come_twice(store: Store) -> None:
    assert [await store.next_epoch("a") for _ in range(3)] == [1, 2, 3]
    assert await store.next_epoch("b") == 1


async def test_reserved_turns_follow_each_other_without_overlap(store: Store) -> None:
    assert list(await store.reserve_turns("a", 4)) == [1, 2, 3, 4]
    assert list(await store.reserve_turns("a", 2)) == [5, 6]
    assert list(await store.reserve_turns("b", 1)) == [1]


async def test_history_comes_back_oldest_first_as_it_was_heard(store: Store) -> None:
    cut = Exchange(turn=2, user="tell me more", robot="once upon", interrupted=True)
    await store.append_turn("a", said(1))
    await store.append_turn("a", Record("sess-1", cut, "interrupted"))
    assert await store.load_history("a") == (said(1).exchange, cut)


async def test_history_is_limited_to_the_latest_turns(store: Store) -> None:
    for turn in range(1, 8):
        await store.append_turn("a", said(turn))
    assert [e.turn for e in await store.load_history("a", limit=3)] == [5, 6, 7]


async def test_a_second_record_of_a_turn_replaces_the_first(store: Store) -> None:
    await store.append_turn("a", said(1, robot="all of it"))
    await store.append_turn("a", said(1, robot="all"))
    assert [e.robot for e in await store.load_history("a")] == ["all"]


async def test_robots_do_not_see_each_others_history(store: Store) -> None:
    await store.append_turn("a", said(1))
    assert await store.load_history("b") == ()


async def test_history_is_gone_thirty_minutes_after_the_robot_was_last_seen(
    store: Store, clock: WallClock
) -> None:
    await store.append_turn("a", said(1))
    clock.now_s += 3_000
    await store.seen(["a"])
    clock.now_s += 1_800
    assert len(await store.load_history("a")) == 1
    clock.now_s += 1
    assert await store.load_history("a") == ()
    clock.now_s -= 1_000
    assert await store.load_history("a") == ()


async def test_a_new_connection_alone_does_not_make_history_young_again(
    store: Store, clock: WallClock
) -> None:
    await store.append_turn("a", said(1))
    clock.now_s += 1_801
    await store.next_epoch("a")
    await store.reserve_turns("a", 8)
    assert await store.load_history("a") == ()


async def test_expiry_deletes_the_old_and_spares_the_connected(
    store: Store, clock: WallClock
) -> None:
    for robot in ("gone", "here", "late"):
        await store.append_turn(robot, said(1))
    clock.now_s += 1_801
    await store.append_turn("late", said(2))
    assert await store.expire(connected={"here"}) == {"here", "late"}
    assert len(await store.load_history("here")) == 1
    assert len(await store.load_history("late")) == 2


async def test_forgetting_deletes_the_words_and_keeps_the_numbers(store: Store) -> None:
    await store.next_epoch("a")
    await store.reserve_turns("a", 2)
    await store.append_turn("a", said(1))
    assert await store.forget("a") == 1
    assert await store.forget("a") == 0
    assert await store.load_history("a") == ()
    assert await store.next_epoch("a") == 2
    assert list(await store.reserve_turns("a", 1)) == [3]


async def test_the_audit_is_read_in_the_order_it_was_written(store: Store) -> None:
    await store.audit("robot.forgotten", "a")
    await store.audit("token.added")
    assert [line.event for line in await store.read_audit()] == ["robot.forgotten", "token.added"]
    assert [line.event for line in await store.read_audit(limit=1)] == ["token.added"]


async def test_each_opening_counts_one_boot_under_the_same_hub_id(store: Store) -> None:
    boot, hub_id = store.boot, store.hub_id
    await store.close()
    if isinstance(store, SqliteStore):
        store = SqliteStore(store._data_dir)
    await store.open()
    assert (store.boot, store.hub_id) == (boot + 1, hub_id)
    await store.close()


def under_way(turn: int, played_ms: int = 0) -> OpenTurn:
    phrase = Phrase("Once upon a time.", words=(WordMark("Once", 0, 200),))
    return OpenTurn(
        session="sess-1", epoch=3, turn=turn, priority=Priority.USER, user="tell me",
        phrases=(phrase,), played_ms=played_ms,
    )  # fmt: skip


async def test_an_open_turn_is_kept_as_it_was_last_written(store: Store, clock: WallClock) -> None:
    await store.keep_open({"a": under_way(1), "b": under_way(7)})
    await store.keep_open({"a": under_way(1, played_ms=500), "b": None, "c": None})
    clock.now_s += 4
    assert await store.open_turns() == (Leftover("a", under_way(1, played_ms=500), 4.0),)


async def test_a_turn_that_is_committed_is_open_no_more(store: Store) -> None:
    await store.keep_open({"a": under_way(2)})
    await store.append_turn("a", said(1))
    assert len(await store.open_turns()) == 1
    await store.append_turn("a", said(2))
    assert await store.open_turns() == ()
