"""A button that switches the microphone off, as Linux tells of it (``Documentation/input``): the one
of a conference microphone, or one on a pin of the Pi (``dtoverlay=gpio-key,gpio=17,keycode=248``).
"""

import asyncio
import os
import struct
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from robot_sim.errors import NoMuteButton

_EVENT = struct.Struct("@llHHi")
_KEY, _SWITCH = 1, 5
_MUTE_KEYS = frozenset({113, 248})
"""``KEY_MUTE`` and ``KEY_MICMUTE``."""
_MUTE_SWITCH = 14
"""``SW_MUTE_DEVICE``."""
_AT_ONCE = 64


class InputEvent(NamedTuple):
    """What an input device tells: ``kind``, ``code`` and ``value`` of ``struct input_event``."""

    kind: int
    code: int
    value: int


def switched(off: bool, event: InputEvent) -> bool:
    """Whether the microphone is off after ``event``: a key turns that over as it goes down, a switch
    says it."""
    if event.kind == _KEY and event.code in _MUTE_KEYS and event.value == 1:
        return not off
    if event.kind == _SWITCH and event.code == _MUTE_SWITCH:
        return bool(event.value)
    return off


class MuteButton:
    """``on_switch`` is told of every change, on the loop. A context manager.

    Raises (on entry):
        NoMuteButton: the device cannot be read.
    """

    def __init__(self, device: str, told: Callable[[str], None]) -> None:
        self.off = False
        self.on_switch: Callable[[bool], None] | None = None
        self._device, self._told = device, told
        self._file = -1
        self._rest = b""

    def __enter__(self) -> Self:
        file = -1
        try:
            file = os.open(self._device, os.O_RDONLY | os.O_NONBLOCK)
            # What nobody can wait for, as a plain file, is refused here.
            asyncio.get_running_loop().add_reader(file, self._on_input)
        except OSError as error:
            if file >= 0:
                os.close(file)
            raise NoMuteButton(f"no mute button at {self._device}: {error.strerror}") from error
        self._file = file
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _on_input(self) -> None:
        try:
            data = os.read(self._file, _AT_ONCE * _EVENT.size)
        except BlockingIOError:
            return
        except OSError as error:  # it was unplugged
            self._told(f"the mute button is gone: {error.strerror}")
            self._close()
            return
        if not data:
            self._told("the mute button is gone")
            self._close()
            return
        data = self._rest + data
        whole = len(data) - len(data) % _EVENT.size
        self._rest = data[whole:]
        for _, _, *event in _EVENT.iter_unpack(data[:whole]):
            self._switch(switched(self.off, InputEvent(*event)))

    def _switch(self, off: bool) -> None:
        if off == self.off:
            return
        self.off = off
        self._told("microphone off" if off else "microphone on")
        if self.on_switch is not None:
            self.on_switch(off)

    def _close(self) -> None:
        if self._file >= 0:
            asyncio.get_running_loop().remove_reader(self._file)
            os.close(self._file)
            self._file = -1
