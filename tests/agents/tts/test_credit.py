import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.errors import AgentError
from agents.tts.credit import CHUNK_MS, FIRST_CHUNK_MS, Credit, portion

RATE = 16_000
MS = RATE // 1000


@pytest.mark.parametrize(
    ("ready_ms", "begun", "room_ms", "ended", "sent_ms"),
    [
        (500, False, None, False, FIRST_CHUNK_MS),
        (500, True, None, False, CHUNK_MS),
        (20, False, None, False, 0),
        (99, True, None, False, 0),
        (99, True, None, True, 99),
        (5, False, None, True, 5),
        (500, True, 60, False, 60),
        (500, True, 19, False, 0),
        (500, True, 0, True, 0),
        (10, True, 10, True, 10),
        (0, True, None, True, 0),
    ],
)
def test_a_chunk_is_full_or_the_last_and_within_the_credit(
    ready_ms: int, begun: bool, room_ms: int | None, ended: bool, sent_ms: int
) -> None:
    room = None if room_ms is None else room_ms * MS
    assert portion(ready_ms * MS, begun, room, RATE, ended) == sent_ms * MS


@given(
    st.integers(0, 5000),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 5000)),
    st.sampled_from([8000, 16000, 22050, 48000]),
    st.booleans(),
)
def test_no_chunk_exceeds_what_is_there_or_granted(
    ready: int, begun: bool, room: int | None, rate_hz: int, ended: bool
) -> None:
    sent = portion(ready, begun, room, rate_hz, ended)
    assert 0 <= sent <= ready
    assert room is None or sent <= room


def test_the_highest_grant_counts_in_any_order() -> None:
    credit = Credit(0)
    for until_ms in (500, 2000, 1000, 500):
        credit.grant(until_ms)
    assert credit.room(0, RATE) == 2000 * MS
    assert credit.room(2500 * MS, RATE) == 0


def test_without_a_limit_there_is_room_until_one_is_granted() -> None:
    credit = Credit(None)
    assert credit.room(10**9, RATE) is None
    credit.grant(100)
    assert credit.room(0, RATE) == 100 * MS


async def test_who_waits_for_credit_that_never_comes_is_told() -> None:
    credit = Credit(0)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(credit.more())
        await asyncio.sleep(0)
        credit.grant(10)
        await waiting
    credit.end()
    with pytest.raises(AgentError) as raised:
        await credit.more()
    assert raised.value.code == "speech_abandoned"
