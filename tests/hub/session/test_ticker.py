"""Speech is looked at when it is due, at the next heartbeat, and nobody wakes where nothing is."""

import asyncio
from itertools import pairwise

from hub.session.ticker import LEAVE, PERIOD_NS, Ticker
from tests.virtual_time import clock_ns, virtual

MS = 1_000_000
WOKEN_LATE_NS = MS
"""Loops count whole milliseconds."""


class Speech:
    """A named fake of a seat: looked at when it says, so many times."""

    def __init__(self, *every_ns: int) -> None:
        self._every_ns = list(every_ns)
        self.looks: list[int] = []

    def tick(self, now_ns: int) -> int:
        self.looks.append(now_ns)
        return now_ns + self._every_ns.pop(0) if self._every_ns else LEAVE


async def looked_at(speech: Speech, ticker: Ticker, seconds: float = 1.0) -> list[int]:
    began = clock_ns()
    ticker.add(speech)
    await asyncio.sleep(seconds)
    return [look - began for look in speech.looks]


@virtual
async def test_what_is_added_is_looked_at_in_the_next_step_of_the_loop() -> None:
    assert await looked_at(Speech(), Ticker(clock_ns)) == [0]


@virtual
async def test_what_is_due_is_looked_at_within_a_heartbeat_and_never_before() -> None:
    looks = await looked_at(Speech(*[20 * MS] * 20), Ticker(clock_ns))

    late = [b - a - 20 * MS for a, b in pairwise(looks)]
    assert len(late) == 20
    assert all(0 <= each <= PERIOD_NS + WOKEN_LATE_NS for each in late)


@virtual
async def test_nobody_wakes_at_a_heartbeat_at_which_nothing_is_due() -> None:
    wakes = 0

    def counted() -> int:
        nonlocal wakes
        wakes += 1
        return clock_ns()

    speech = Speech(*[100 * MS] * 5)
    await looked_at(speech, Ticker(counted))

    assert len(speech.looks) == 6
    assert wakes <= 2 * len(speech.looks)  # a look, and when to wake next


@virtual
async def test_all_that_is_due_at_one_heartbeat_shares_its_wake_up() -> None:
    ticker, many = Ticker(clock_ns), [Speech(*[20 * MS] * 10) for _ in range(4)]
    await asyncio.sleep(0.0005)
    for speech in many:
        ticker.add(speech)
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.5)

    later = [set(speech.looks[1:]) for speech in many]
    assert later[0] == later[1] == later[2] == later[3]


@virtual
async def test_what_becomes_due_earlier_than_all_others_is_not_kept_waiting_by_them() -> None:
    ticker, patient = Ticker(clock_ns), Speech(500 * MS)
    ticker.add(patient)
    await asyncio.sleep(0.01)

    looks = await looked_at(Speech(10 * MS), ticker, 0.1)

    assert looks[1] <= 10 * MS + PERIOD_NS + WOKEN_LATE_NS
    assert len(patient.looks) == 1


@virtual
async def test_zero_means_the_next_heartbeat() -> None:
    class Eager(Speech):
        def tick(self, now_ns: int) -> int:
            super().tick(now_ns)
            return 0 if len(self.looks) < 5 else LEAVE

    looks = await looked_at(Eager(), Ticker(clock_ns))

    gaps = [b - a for a, b in pairwise(looks)]
    assert all(0 < gap <= PERIOD_NS + WOKEN_LATE_NS for gap in gaps)


@virtual
async def test_what_has_left_is_looked_at_again_when_it_is_added_again() -> None:
    ticker, speech = Ticker(clock_ns), Speech()
    await looked_at(speech, ticker)
    await looked_at(speech, ticker)
    assert len(speech.looks) == 2
