"""``python -m robot_sim.face_device``: the simulated microcontroller of a face on a pseudo-terminal,
in real time.

Its port is named on the first line; ``--link`` gives it a name that stays. On a terminal it draws
itself, else it writes a JSON object for every change of what it shows. It obeys lines on its
standard input: ``tap ptt``, ``tap action``, ``tap X Y``, ``restart``, ``quit``.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from protocols.face import SCREEN_HEIGHT, SCREEN_WIDTH
from robot_sim.clock import device_clock
from robot_sim.errors import BadOrder, RobotError
from robot_sim.face_drawing import FaceState, drawn, png, state_of, write_png
from robot_sim.face_mcu import FaceMcu

LOOP_S = 0.01
TAP_S = 0.12
"""How long a finger stays down: longer than the mailbox of touches is looked into."""
DRAW_EVERY_S = 0.1
_READ_BYTES = 4_096
_BUTTONS = {"ptt": (30, SCREEN_HEIGHT - 20), "action": (SCREEN_WIDTH - 30, SCREEN_HEIGHT - 20)}
_HOME, _CLEAR = "\x1b[H", "\x1b[2J"


class Shown(msgspec.Struct, frozen=True):
    """What stands on a line: when, by the machine's clock, and what the face shows since then."""

    t_ns: int
    mood: str
    intensity: float
    conversation: str
    talking: bool
    energy: int
    gesture: str
    listening: bool
    version: int
    starts: int


class FaceDevice:
    """One microcontroller between its port ``master`` and whoever looks at it."""

    def __init__(self, master: int, drift_ppm: float, picture: Path | None) -> None:
        self._master = master
        self._mcu = FaceMcu(device_clock(), drift_ppm)
        self._picture = picture
        self._shown: tuple[object, ...] = ()
        self._drawn: FaceState | None = None
        self._draw_due_ns = 0
        self._over = asyncio.Event()
        self._taps: list[tuple[int, int, int]] = []
        self._lines = bytearray()
        self._terminal = sys.stdout.isatty()

    async def run(self) -> None:
        """Live until told to quit."""
        loop = asyncio.get_running_loop()
        os.set_blocking(self._master, False)
        loop.add_reader(self._master, self._on_port)
        with contextlib.suppress(OSError, ValueError, PermissionError):
            loop.add_reader(sys.stdin.fileno(), self._on_input)
        while not self._over.is_set():
            now_ns = device_clock()
            self._lift(now_ns)
            self._write(self._mcu.advance(now_ns))
            self._tell(now_ns)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOP_S):
                    await self._over.wait()

    def obey(self, line: str) -> None:
        """A line of its standard input.

        Raises:
            BadOrder: it is none of them.
        """
        match line.split():
            case []:
                pass
            case ["tap", name] if name in _BUTTONS:
                self._tap(*_BUTTONS[name])
            case ["tap", x, y] if x.isdecimal() and y.isdecimal():
                self._tap(int(x), int(y))
            case ["restart"]:
                self._mcu.restart(device_clock())
            case ["quit"]:
                self._over.set()
            case _:
                raise BadOrder(f"{line.strip()!r} is no order: tap ptt|action|X Y, restart, quit")

    def _tap(self, x: int, y: int) -> None:
        now_ns = device_clock()
        self._mcu.touch(x, y, now_ns)
        self._taps.append((now_ns + round(TAP_S * 1e9), x, y))

    def _lift(self, now_ns: int) -> None:
        while self._taps and self._taps[0][0] <= now_ns:
            _, x, y = self._taps.pop(0)
            self._mcu.lift(x, y, now_ns)

    def _on_port(self) -> None:
        with contextlib.suppress(OSError):
            data = os.read(self._master, _READ_BYTES)
            self._write(self._mcu.receive(data, device_clock()))

    def _write(self, data: bytes) -> None:
        """What nobody reads is lost, as on a line."""
        if data:
            with contextlib.suppress(OSError):
                os.write(self._master, data)

    def _on_input(self) -> None:
        data = os.read(sys.stdin.fileno(), _READ_BYTES)
        if not data:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            return
        *lines, rest = (bytes(self._lines) + data).split(b"\n")
        self._lines = bytearray(rest[:_READ_BYTES])
        for line in lines:
            try:
                self.obey(line.decode(errors="replace"))
            except BadOrder as error:
                sys.stderr.write(f"{error}\n")

    def _tell(self, now_ns: int) -> None:
        mcu, state = self._mcu, state_of(self._mcu)
        if self._terminal or self._picture is not None:
            self._draw(state, now_ns)
        if self._terminal:
            return
        told = (*state[:6], mcu.listening, mcu.version, mcu.starts)
        if told != self._shown:
            self._shown = told
            sys.stdout.write(msgspec.json.encode(Shown(now_ns, *told)).decode() + "\n")
            sys.stdout.flush()

    def _draw(self, state: FaceState, now_ns: int) -> None:
        if state == self._drawn or now_ns < self._draw_due_ns:
            return
        self._drawn, self._draw_due_ns = state, now_ns + round(DRAW_EVERY_S * 1e9)
        if self._terminal:
            sys.stdout.write(_HOME + "\n".join(drawn(state)) + "\n")
            sys.stdout.flush()
        if self._picture is not None:
            write_png(state, self._picture)


@contextlib.contextmanager
def _port(link: Path | None) -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: the device's end, and the name of the host's. The host's end stays open
    here, too, so that hosts may come and go."""
    master, slave = os.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    try:
        if link is not None:
            link.unlink(missing_ok=True)
            link.symlink_to(name)
        yield master, str(link or name)
    except OSError as error:
        raise BadOrder(f"{link} cannot be made: {error.strerror}") from error
    finally:
        if link is not None:
            link.unlink(missing_ok=True)
        os.close(master)
        os.close(slave)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the device; 0 when it was told to quit, 2 if it cannot begin."""
    parser = argparse.ArgumentParser(prog="robot_sim.face_device", description=__doc__)
    parser.add_argument("--link", type=Path, help="a name for its port, a symbolic link")
    parser.add_argument("--png", type=Path, help="keep a picture of the face in this file")
    parser.add_argument("--drift-ppm", type=float, default=0.0, help="how much faster its clock is")
    given = parser.parse_args(arguments)
    try:
        if given.png is not None:
            png(FaceState())  # better now than in the middle
        with _port(given.link) as (master, name):
            sys.stdout.write(_CLEAR + _HOME if sys.stdout.isatty() else f"{name}\n")
            sys.stdout.flush()
            asyncio.run(FaceDevice(master, given.drift_ppm, given.png).run())
    except RobotError as error:
        sys.stderr.write(f"robot_sim.face_device: {error}\n")
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
