"""The button of a microphone, read as Linux tells of it; a pipe stands for the device."""

import asyncio
import os
import struct
from pathlib import Path

import pytest

from robot_sim.errors import NoMuteButton
from robot_sim.pi.mute_button import InputEvent, MuteButton, switched

MIC_MUTE, MUTE, ENTER = 248, 113, 28


def told(kind: int, code: int, value: int) -> bytes:
    return struct.pack("@llHHi", 1, 2, kind, code, value)


@pytest.mark.parametrize(
    ("off", "event", "then"),
    [
        (False, InputEvent(1, MIC_MUTE, 1), True),
        (True, InputEvent(1, MIC_MUTE, 1), False),
        (False, InputEvent(1, MUTE, 1), True),
        (True, InputEvent(1, MIC_MUTE, 0), True),
        (True, InputEvent(1, MIC_MUTE, 2), True),
        (False, InputEvent(1, ENTER, 1), False),
        (False, InputEvent(5, 14, 1), True),
        (True, InputEvent(5, 14, 0), False),
        (True, InputEvent(0, 0, 0), True),
    ],
)
def test_a_key_turns_it_over_as_it_goes_down_and_a_switch_says_it(
    off: bool, event: InputEvent, then: bool
) -> None:
    assert switched(off, event) is then


class Desk:
    """A pipe in the place of an input device, and what the button said."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "event0"
        os.mkfifo(self.path)
        self.reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.writer = os.open(self.path, os.O_WRONLY)
        self.news: asyncio.Queue[bool] = asyncio.Queue()
        self.words: asyncio.Queue[str] = asyncio.Queue()

    def button(self) -> MuteButton:
        button = MuteButton(str(self.path), self.words.put_nowait)
        button.on_switch = self.news.put_nowait
        return button


async def test_presses_arrive_even_if_they_are_cut_in_two(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    press = told(1, MIC_MUTE, 1) + told(0, 0, 0) + told(1, MIC_MUTE, 0)
    with desk.button() as button:
        async with asyncio.timeout(5):
            os.write(desk.writer, press[:30])
            assert await desk.news.get() is True
            os.write(desk.writer, press[30:])
            os.write(desk.writer, press)
            assert await desk.news.get() is False
        assert button.off is False
        assert [desk.words.get_nowait() for _ in range(2)] == ["microphone off", "microphone on"]


async def test_a_button_that_is_unplugged_says_so_and_stays_as_it_was(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with desk.button() as button:
        async with asyncio.timeout(5):
            os.write(desk.writer, told(1, MIC_MUTE, 1))
            assert await desk.news.get() is True
            os.close(desk.writer)
            assert await desk.words.get() == "microphone off"
            assert "gone" in await desk.words.get()
        assert button.off


async def test_a_file_that_nobody_can_wait_for_is_no_button(tmp_path: Path) -> None:
    plain = tmp_path / "event0"
    plain.touch()
    with pytest.raises(NoMuteButton, match="event0"), MuteButton(str(plain), print):
        pass


async def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(NoMuteButton, match="/nowhere/event0"), MuteButton("/nowhere/event0", print):
        pass
