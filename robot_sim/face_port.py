"""The port of a face: opens it, reads and writes without waiting, and opens it anew when it is gone.

By pyserial (extra ``supervisor``); a pseudo-terminal is as good as a serial line.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from protocols.face import BAUD
from robot_sim.errors import NoFacePort

FIRST_RETRY_S, LAST_RETRY_S = 0.5, 5.0
LOOK_EVERY_S = 0.25
OUT_BYTES = 2_048
"""What may wait to be written: a fifth of a second of the line. A port that takes less is dead, and
opening it anew tells the face everything again."""
_READ_BYTES = 4_096


class PortUser(Protocol):
    """Who talks over a port; plain functions on the loop."""

    def face_opened(self) -> None: ...

    def face_received(self, data: bytes) -> None: ...

    def face_closed(self) -> None: ...

    def face_silent(self) -> bool:
        """Whether the port should be opened anew, because nothing comes any more."""


class FacePort(Protocol):
    """A way to a face."""

    def write(self, data: bytes) -> None:
        """Queue bytes; they are dropped and counted while the port is closed."""

    async def run(self, user: PortUser) -> None:
        """Keep the port open until cancelled."""


class SerialPort:
    """``path`` names the device. ``counters``: ``port.opened``, ``port.failed``, ``port.silent``,
    ``port.stuck`` and ``port.unwritten`` (bytes)."""

    def __init__(self, path: str, told: Callable[[str], None] = lambda text: None) -> None:
        """``told`` hears, for people, of every change.

        Raises:
            NoFacePort: pyserial is not installed.
        """
        self._serial = serial_module()
        self._path = path
        self._told = told
        self.counters: Counter[str] = Counter()
        self._fd = -1
        self._out = bytearray()
        self._ended: asyncio.Future[str] | None = None

    def write(self, data: bytes) -> None:
        """See ``FacePort``."""
        if self._ended is None or self._ended.done():
            self.counters["port.unwritten"] += len(data)
            return
        if len(self._out) + len(data) > OUT_BYTES:
            self.counters["port.stuck"] += 1
            self._end("it takes no bytes")
            return
        waits = bool(self._out)
        self._out += data
        if not waits:
            self._flush()

    async def run(self, user: PortUser) -> None:
        """See ``FacePort``."""
        wait_s, failure = FIRST_RETRY_S, ""
        while True:
            try:
                port = await asyncio.to_thread(self._open)
            except (OSError, ValueError) as error:
                self.counters["port.failed"] += 1
                if str(error) != failure:
                    failure = str(error)
                    self._told(f"face port {self._path} cannot be opened: {failure}")
            else:
                failure, wait_s = "", FIRST_RETRY_S
                reason = await self._serve(port, user)
                self._told(f"face port {self._path} closed: {reason}")
            await asyncio.sleep(wait_s)
            wait_s = min(LAST_RETRY_S, 2 * wait_s)

    def _open(self) -> Any:
        port = self._serial.Serial(self._path, BAUD, timeout=0, write_timeout=0, exclusive=True)
        os.set_blocking(port.fileno(), False)
        return port

    async def _serve(self, port: Any, user: PortUser) -> str:
        """Until the port is gone; why it is."""
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        self._fd = port.fileno()
        self._out.clear()
        self.counters["port.opened"] += 1
        self._told(f"face port {self._path} open")
        try:
            user.face_opened()
            loop.add_reader(self._fd, self._read, user)
            while True:
                try:
                    async with asyncio.timeout(LOOK_EVERY_S):
                        return await asyncio.shield(self._ended)
                except TimeoutError:
                    if user.face_silent():
                        self.counters["port.silent"] += 1
                        return "the face says nothing"
        finally:
            loop.remove_reader(self._fd)
            loop.remove_writer(self._fd)
            self._ended.cancel()
            self._ended = None
            port.close()
            user.face_closed()

    def _read(self, user: PortUser) -> None:
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(str(error.strerror))
            return
        if data:
            user.face_received(data)
        else:
            self._end("it was closed")

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            written = os.write(self._fd, self._out)
        except BlockingIOError:
            written = 0
        except OSError as error:
            self._end(str(error.strerror))
            return
        del self._out[:written]
        if self._out:
            loop.add_writer(self._fd, self._flush)
        else:
            loop.remove_writer(self._fd)

    def _end(self, reason: str) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(reason)
            asyncio.get_running_loop().remove_reader(self._fd)
            asyncio.get_running_loop().remove_writer(self._fd)


def serial_module() -> Any:
    """pyserial.

    Raises:
        NoFacePort: it is not installed.
    """
    try:
        import serial
    except ImportError as error:
        raise NoFacePort("pyserial is not installed; install robot-hub[supervisor]") from error
    return serial
