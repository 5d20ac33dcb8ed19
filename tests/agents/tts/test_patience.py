import asyncio

import pytest

from agents.runtime.errors import BackendTimeout
from agents.tts.patience import Limits, Patience
from agents.tts.yielding import AHEAD_S, RESUMES_S, yield_while_ahead
from tests.virtual_time import virtual

LIMITS = Limits(first_s=3.0, idle_s=1.0, total_s=5.0)


async def waits(patience: Patience, *seconds: float) -> None:
    for each in seconds:
        async with patience.waiting():
            await asyncio.sleep(each)


@virtual
async def test_the_first_piece_may_take_longer_than_the_next() -> None:
    patience = Patience(LIMITS)
    await waits(patience, 2.9, 0.9)
    with pytest.raises(BackendTimeout):
        await waits(patience, 1.1)
    with pytest.raises(BackendTimeout):
        await waits(Patience(LIMITS), 3.1)


@virtual
async def test_many_short_waits_are_too_long_together() -> None:
    with pytest.raises(BackendTimeout):
        await waits(Patience(LIMITS), 2.0, *[0.9] * 4)


@virtual
async def test_a_listener_who_takes_long_costs_no_patience() -> None:
    patience = Patience(LIMITS)
    for _ in range(6):
        await waits(patience, 0.8)
        await asyncio.sleep(60)


@virtual
async def test_a_voice_waits_until_it_is_no_longer_far_ahead() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await yield_while_ahead(lambda: 4.0 - (loop.time() - begun))
    assert loop.time() - begun == pytest.approx(4.0 - RESUMES_S, abs=0.02)
    waited = loop.time()
    await yield_while_ahead(lambda: AHEAD_S)
    assert loop.time() == waited
