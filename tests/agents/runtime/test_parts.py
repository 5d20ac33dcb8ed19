"""Long texts go to the hub in parts."""

import asyncio

import pytest

from agents.runtime.parts import PART_CHARS, PAUSE_S, in_parts
from tests.virtual_time import virtual


@virtual
@pytest.mark.parametrize("length", [0, 1, PART_CHARS, PART_CHARS + 1, 10 * PART_CHARS + 7])
async def test_the_parts_make_the_text(length: int) -> None:
    text = "\N{ROBOT FACE}a" * (length // 2) + "b" * (length % 2)
    parts = [part async for part in in_parts(text)]
    assert "".join(parts) == text
    assert all(0 < len(part) <= PART_CHARS for part in parts)


@virtual
async def test_a_link_has_time_to_acknowledge_them() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    parts = [part async for part in in_parts("a" * (5 * PART_CHARS))]
    assert loop.time() - began == pytest.approx((len(parts) - 1) * PAUSE_S)
