"""``robot-hub face-bridge``: a face on a serial port of this machine joins a hub by itself.

Bytes of the port go over the hub's ``/face`` and back; what they mean is the hub's business. The
connection lives as long as the port is open, so that the hub greets every face anew.
"""

import argparse
import asyncio
import logging
import random
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from protocols.identity import checked_robot_id
from robot_sim.errors import LinkGone
from robot_sim.face_port import FacePort, SerialPort
from robot_sim.pi.ending import GONE, OK, exit_code_of
from robot_sim.pi.home import Home
from robot_sim.pi.order import token_of
from robot_sim.reconnect import LOST, NOT_AUTHORISED, GiveUp, after_close

WAITING_BYTES = 8 * 1024
"""Of a face that tells more than the network takes, the oldest is dropped."""
SILENT_S = 3.0
_TIMEOUT_S = 5.0
_KEEPALIVE_S = 5.0

log = logging.getLogger("robot_hub.supervisor")


class Bridge:
    """Between one port and one hub. ``counters``: ``bridge.dropped`` bytes of the face."""

    def __init__(self, port: FacePort, home: Home, robot: str) -> None:
        self._port = port
        self._home = home
        self._robot = robot
        self._random = random.Random(robot)
        self.counters: Counter[str] = Counter()
        self._is_open = asyncio.Event()
        self._closed = asyncio.Event()
        self._came = asyncio.Event()
        self._held = bytearray()
        self._heard_s = 0.0

    async def run(self) -> None:
        """Until cancelled.

        Raises:
            LinkGone: the hub will not have this face.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._port.run(self))
            tasks.create_task(self._keep_joined())

    # what the port reports

    def face_opened(self) -> None:
        self._held.clear()
        self._heard_s = 0.0
        self._closed.clear()
        self._is_open.set()

    def face_received(self, data: bytes) -> None:
        self._heard_s = asyncio.get_running_loop().time()
        self._held += data
        if (excess := len(self._held) - WAITING_BYTES) > 0:
            self.counters["bridge.dropped"] += excess
            del self._held[:excess]
        self._came.set()

    def face_closed(self) -> None:
        self._is_open.clear()
        self._closed.set()

    def face_silent(self) -> bool:
        """Whether a face that has told something tells nothing any more."""
        return self._heard_s > 0 and asyncio.get_running_loop().time() - self._heard_s > SILENT_S

    # inside

    async def _keep_joined(self) -> None:
        attempt = 0
        while True:
            await self._is_open.wait()
            code, reason = await self._joined()
            if not self._is_open.is_set():
                continue
            if code == NOT_AUTHORISED and self._home.may_pair:
                await self._home.pair()
                continue
            decision = after_close(code, reason, self._home.url, attempt, self._random)
            if isinstance(decision, GiveUp):
                raise LinkGone(f"{decision.reason} (close code {code})", code)
            attempt = 0 if reason == "" else attempt + 1
            await asyncio.sleep(decision.after_s)

    async def _joined(self) -> tuple[int, str]:
        """One connection, until hub or port end it; its close code and reason."""
        base = self._home.url.rstrip("/").replace("http", "ws", 1)
        url = f"{base}/face?robot_id={quote(self._robot, safe='')}"
        token = self._home.token
        try:
            async with connect(
                url,
                additional_headers={"Authorization": f"Bearer {token}"} if token else {},
                compression=None,
                open_timeout=_TIMEOUT_S,
                close_timeout=1.0,
                ping_interval=_KEEPALIVE_S,
                ping_timeout=_KEEPALIVE_S,
                proxy=None,
            ) as socket:
                log.info("face joined the hub at %s", self._home.url)
                await self._carry(socket)
                log.info("face left: %s %s", socket.close_code, socket.close_reason)
                return socket.close_code or LOST, socket.close_reason or ""
        except InvalidStatus as error:
            status = error.response.status_code
            return (NOT_AUTHORISED if status in (401, 403) else LOST), f"HTTP {status}"
        except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError) as error:
            return LOST, str(error) or type(error).__name__

    async def _carry(self, socket: ClientConnection) -> None:
        async with asyncio.TaskGroup() as tasks:
            up = tasks.create_task(self._send(socket))
            over = tasks.create_task(self._hang_up(socket))
            try:
                async for frame in socket:
                    if isinstance(frame, bytes):
                        self._port.write(frame)
            except ConnectionClosed:
                pass
            up.cancel()
            over.cancel()

    async def _send(self, socket: ClientConnection) -> None:
        try:
            while True:
                await self._came.wait()
                self._came.clear()
                data = bytes(self._held)
                self._held.clear()
                if data:
                    await socket.send(data)
        except ConnectionClosed:
            return

    async def _hang_up(self, socket: ClientConnection) -> None:
        await self._closed.wait()
        await socket.close(1000, "the port is closed")


async def _run(given: argparse.Namespace) -> int:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    robot = checked_robot_id(given.robot_id)
    token = token_of(given.token_file)
    home = Home(given.state_dir.expanduser(), robot, given.hub, token)
    bridge = Bridge(SerialPort(given.port, log.info), home, robot)
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(_live(bridge, home))
        stopped = tasks.create_task(stop.wait())
        await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        stopped.cancel()
    return OK if stop.is_set() else GONE


async def _live(bridge: Bridge, home: Home) -> None:
    await home.locate()
    await bridge.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="robot-hub face-bridge", description="Connect a face on a serial port to a hub."
    )
    add = parser.add_argument
    add("--port", required=True, help="the face's serial port, as /dev/ttyACM0")
    add("--robot-id", required=True, help="the robot whose face it is")
    add("--hub", help="ws://host:port of the hub; without it the hub that announces itself")
    add("--token-file", type=Path, help="file of the robot's token")
    add("--state-dir", type=Path, default=Path("~/.local/share/robot-supervisor"),
        help="where hub and token are remembered (%(default)s)")  # fmt: skip
    return parser


def main(arguments: Sequence[str]) -> int:
    """Bridge until told to end; 0: told to, 1: the hub will not have it, 2: it cannot."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    log.setLevel(logging.INFO)
    return exit_code_of("face-bridge", lambda: asyncio.run(_run(given)))
