"""A simulated face at the end of a serial line, and when it did what; and how far its mouth was from
the loudspeaker."""

import asyncio
import os
import tty
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from protocols.messages.face import Conversation
from protocols.messages.robot import SpeechFrame
from robot_sim.clock import device_clock
from robot_sim.face import Face
from robot_sim.face_mcu import BOOT_NS, FaceMcu
from robot_sim.face_port import SerialPort
from robot_sim.robot import RobotOptions, SimulatedRobot

LOOP_S = 0.01
"""The microcontroller's own."""
CLOSED = -1
_READ_BYTES = 4_096
_AMONG = 10
"""A mouth shows one of the next so many frames, or the frame is not known."""


class Deed(NamedTuple):
    """What the face did at ``at_ns``: the conversation's state, or the mouth's energy."""

    at_ns: int
    what: Conversation | int


class WatchedFace(Face):
    """Notes every command at the moment at which the microcontroller obeys it."""

    def __init__(self) -> None:
        super().__init__()
        self.deeds: list[Deed] = []
        self._news = asyncio.Event()
        self._mouth = CLOSED

    def converse(self, state: Conversation) -> None:
        if state is not self.conversation:
            self._note(state)
        super().converse(state)

    def talk(self, energy: int, now_ns: int) -> None:
        self._moved(energy)
        super().talk(energy, now_ns)

    def hush(self) -> None:
        self._moved(CLOSED)
        super().hush()

    def _moved(self, energy: int) -> None:
        if energy != self._mouth:
            self._mouth = energy
            self._note(energy)

    def _note(self, what: Conversation | int) -> None:
        self.deeds.append(Deed(device_clock(), what))
        self._news.set()

    def first(self, after_ns: int, found: Callable[[Conversation | int], bool]) -> int | None:
        """When it first did something of the kind after a moment."""
        return next((d.at_ns for d in self.deeds if d.at_ns >= after_ns and found(d.what)), None)

    async def does(self, after_ns: int, found: Callable[[Conversation | int], bool]) -> int:
        """The same, once it is done."""
        while (at_ns := self.first(after_ns, found)) is None:
            self._news.clear()
            await self._news.wait()
        return at_ns


class FaceOnALine:
    """The microcontroller behind a pseudo-terminal of its own, on this loop."""

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(slave)
        self._slave = slave
        self.mcu = FaceMcu(device_clock() - 2 * BOOT_NS)
        self.face = self.mcu.face = WatchedFace()
        self.late_ns = 0
        """The longest that its loop was late: how far to trust what was timed."""

    async def live(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._master, self._read)
        try:
            while True:
                due_ns = device_clock() + round(LOOP_S * 1e9)
                await asyncio.sleep(LOOP_S)
                now_ns = device_clock()
                self.late_ns = max(self.late_ns, now_ns - due_ns)
                self._write(self.mcu.advance(now_ns))
        finally:
            loop.remove_reader(self._master)
            os.close(self._master)
            os.close(self._slave)

    def _read(self) -> None:
        with suppress(OSError):
            data = os.read(self._master, _READ_BYTES)
            self._write(self.mcu.receive(data, device_clock()))

    def _write(self, data: bytes) -> None:
        if data:
            with suppress(OSError):
                os.write(self._master, data)


class Spoken(NamedTuple):
    """A frame of speech that came for the loudspeaker."""

    turn: int
    first_sample: int
    samples: int
    energy: int


class WatchedRobot(SimulatedRobot):
    """Keeps what came for its loudspeaker."""

    def __init__(self, url: str, robot_id: str, options: RobotOptions) -> None:
        super().__init__(url, robot_id, options)
        self.frames: list[Spoken] = []

    def on_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        self.frames.append(Spoken(header.turn, header.first_sample, header.samples, header.energy))
        super().on_speech(header, pcm)


@asynccontextmanager
async def watched(
    url: str, robot_id: str, options: Callable[[SerialPort], RobotOptions]
) -> AsyncIterator[tuple[WatchedRobot, FaceOnALine]]:
    """A robot on the hub at ``url`` whose face is on a serial line."""
    line = FaceOnALine()
    async with asyncio.TaskGroup() as tasks:
        living = tasks.create_task(line.live())
        try:
            async with WatchedRobot(url, robot_id, options(SerialPort(line.path))) as robot:
                yield robot, line
        finally:
            living.cancel()


def skews_ms(
    frames: Sequence[Spoken], began_ns: int, rate_hz: int, mouth: Sequence[Deed]
) -> list[float]:
    """How far the mouth was from the loudspeaker, every millisecond of a response: the frame that
    sounds, against the frame whose energy the mouth shows. Sample 0 sounded at ``began_ns``, and
    nothing paused since.

    The mouth shows the frames in their order, some of them not; what it shows is taken to be the
    next frame of that energy.
    """
    changes = _changes(frames)
    shown: list[tuple[int, Spoken]] = []
    at = 0
    for deed in mouth:
        among = range(at, min(at + _AMONG, len(changes)))
        found = next((i for i in among if changes[i].energy == deed.what), None)
        if found is not None:
            shown.append((deed.at_ns, changes[found]))
            at = found + 1
    times = [when for when, _ in shown]
    end_ns = began_ns + _ns(frames[-1].first_sample + frames[-1].samples, rate_hz)
    skews = []
    for now_ns in range(times[0] if times else end_ns, end_ns, 1_000_000):
        _, frame = shown[bisect_right(times, now_ns) - 1]
        starts_ns = began_ns + _ns(frame.first_sample, rate_hz)
        ends_ns = began_ns + _ns(frame.first_sample + frame.samples, rate_hz)
        skews.append(max(starts_ns - now_ns, now_ns - ends_ns, 0) / 1e6)
    return skews


def _changes(frames: Sequence[Spoken]) -> list[Spoken]:
    """The frames, those of one energy in a row as one."""
    merged: list[Spoken] = []
    for frame in frames:
        if merged and merged[-1].energy == frame.energy:
            last = merged.pop()
            frame = last._replace(samples=last.samples + frame.samples)
        merged.append(frame)
    return merged


def _ns(samples: int, rate_hz: int) -> int:
    return samples * 1_000_000_000 // rate_hz


def is_mouth(what: Any) -> bool:
    """Whether a deed is one of the mouth."""
    return isinstance(what, int) and not isinstance(what, Conversation)
