"""What is left of work that failed."""

import asyncio
from weakref import ref

import pytest

from hub.edge.disconnect import watched


class Refused(Exception):
    pass


async def never() -> None:
    await asyncio.Event().wait()


async def gone() -> None:
    await asyncio.sleep(0)
    raise ConnectionError


async def refuse(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    raise Refused


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_an_error_of_the_work_is_not_left_to_the_collector(turns: int) -> None:
    with pytest.raises(ConnectionError):  # what is watched for is told as itself, too
        await watched(gone(), never())
    kept = None
    try:
        await watched(never(), refuse(turns))
    except Refused as error:
        kept = ref(error)
    assert kept is not None
    assert kept() is None
