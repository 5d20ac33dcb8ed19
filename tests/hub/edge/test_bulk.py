"""How fast large bodies are read beside robots, and how threads look at them."""

import asyncio
import base64
import json

import pytest

from hub.edge.bulk import BLOCK_BYTES, BYTES_PER_S, Pace, blocks, text_blocks
from hub.edge.json_body import check_json
from hub.edge.limits import PARSED_IN_PLACE_BYTES
from hub.edge.recordings import BadRecording
from hub.edge.wespoke.sound import decoded
from hub.errors import BadBody, TooDeep
from tests.virtual_time import run

MIB = 1024 * 1024


def taken_s(held: bool, readers: int) -> float:
    """How long it takes until so many readers have read a MiB each, piece by piece."""

    async def read() -> float:
        loop = asyncio.get_running_loop()
        began_s, pace = loop.time(), Pace(lambda: held, loop.time)

        async def one() -> None:
            for _ in range(MIB // BLOCK_BYTES):
                await pace.read(BLOCK_BYTES)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(readers):
                tasks.create_task(one())
        return loop.time() - began_s

    return run(read())


@pytest.mark.parametrize("readers", [1, 4, 40])
def test_large_bodies_share_one_rate_while_a_robot_is_answered(readers: int) -> None:
    assert taken_s(True, readers) == pytest.approx(readers * MIB / BYTES_PER_S, abs=0.02)


def test_nobody_waits_while_no_robot_is_answered() -> None:
    assert taken_s(False, 40) == 0


def test_blocks_are_the_whole_in_its_order() -> None:
    content = bytes(range(256)) * 5_000
    assert b"".join(blocks([bytearray(content)])) == content
    text = "äbc" * 300_000
    assert "".join(text_blocks(text)) == text
    assert list(blocks([])) == list(text_blocks("")) == []


@pytest.mark.parametrize("offset", range(8))
def test_in_a_long_text_nothing_is_overlooked_where_two_blocks_meet(offset: int) -> None:
    for blocks_before in (1, 3):
        filled = "a" * (BLOCK_BYTES * blocks_before - offset)
        check_json(json.dumps([f'{filled}\\" [[[ "[[']).encode(), depth=1)
        with pytest.raises(BadBody):
            check_json(f'["{filled}\\ud83d"]'.encode())
        with pytest.raises(TooDeep):
            check_json(f'["{filled}\\\\",[]]'.encode(), depth=1)


@pytest.mark.parametrize("size", [0, 1, 2, 3, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 5])
def test_base64_is_the_same_in_blocks_with_and_without_line_breaks(size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    assert decoded(base64.b64encode(content[:size]).decode()).whole() == content[:size]
    assert decoded(base64.encodebytes(content[:size]).decode()).whole() == content[:size]


@pytest.mark.parametrize(
    "text",
    ["A", "AAA", "QUJD=", "QQ==QQ==", "QQ=Q", "====", "QUJ!", "QÄ==", "Q" * 90_000 + "=" * 5],
)
def test_what_is_no_base64_is_refused(text: str) -> None:
    for before in ("", "QUJD" * (BLOCK_BYTES // 4), "QUJD" * (BLOCK_BYTES // 4 - 1) + "\n\n\n"):
        with pytest.raises(BadRecording):
            decoded(before + text)


def test_what_is_small_enough_for_the_loop_is_worked_on_without_a_rest() -> None:
    with pytest.MonkeyPatch.context() as patch:
        rests: list[float] = []
        patch.setattr("hub.edge.bulk.time.sleep", rests.append)
        list(blocks([bytes(PARSED_IN_PLACE_BYTES)]))
        list(text_blocks("a" * PARSED_IN_PLACE_BYTES))
        assert rests == []
        list(blocks([bytes(PARSED_IN_PLACE_BYTES), b"a"]))
        list(text_blocks("a" * (PARSED_IN_PLACE_BYTES + 1)))
        assert len(rests) == 2
