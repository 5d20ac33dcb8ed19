"""One WebSocket of a light robot as an asyncio protocol: frames are handed on in the callback that
receives them."""

import asyncio
import ssl
import time
from typing import NamedTuple, cast
from urllib.parse import quote, urlsplit

from protocols.errors import ProtocolError
from robot_sim.load.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    NoUpgrade,
    close_code,
    encode_frame,
    upgrade_request,
)
from robot_sim.load.robot import LightRobot
from robot_sim.load.tally import Tally
from robot_sim.reconnect import NOT_AUTHORISED

UNREACHABLE = 1006
_OPEN_TIMEOUT_S = 5.0
_UNSENT_BYTES = 64 * 1024
"""A hub that has not read so much (two seconds of microphone) gets no more for the moment."""
_REFUSED = (401, 403)


class Ended(NamedTuple):
    """Why a connection is over: close code and reason, 1006 where there was no close frame."""

    code: int
    reason: str


class Connection(asyncio.Protocol):
    """Carries the frames of ``robot`` until either side ends it; ``ended`` then says why."""

    def __init__(self, robot: LightRobot, request: bytes, tally: Tally) -> None:
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._robot = robot
        self._request = request
        self._tally = tally
        self._reader = FrameReader()
        self._open = False
        self._transport: asyncio.Transport | None = None

    def abort(self) -> None:
        """Break the socket without a close frame, as a dead radio link would."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Say good-bye and hang up."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode_frame(CLOSE, (1000).to_bytes(2, "big")))
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        try:
            for opcode, payload in self._reader.feed(data):
                self._upgraded(now_ns)
                self._take(opcode, payload, now_ns)
            self._upgraded(now_ns)
        except NoUpgrade as error:
            code = NOT_AUTHORISED if error.status in _REFUSED else UNREACHABLE
            self._end(code, str(error))
        except ProtocolError as error:
            self._tally.counts[f"unreadable.{error.code}"] += 1

    def _upgraded(self, now_ns: int) -> None:
        if self._reader.upgraded and not self._open:
            self._open = True
            self._robot.connected(self._send, now_ns)

    def _take(self, opcode: int, payload: bytes, now_ns: int) -> None:
        if opcode == BINARY:
            self._robot.on_media(payload, now_ns)
        elif opcode == TEXT:
            self._robot.on_text(payload, now_ns)
        elif opcode == PING:
            self._write(encode_frame(PONG, payload))
        elif opcode == CLOSE:
            self._end(*close_code(payload))

    def connection_lost(self, error: Exception | None) -> None:
        self._end(UNREACHABLE, str(error or "the socket broke"))

    def _end(self, code: int, reason: str) -> None:
        if not self.ended.done():
            self._robot.disconnected(time.monotonic_ns())
            self.ended.set_result(Ended(code, reason))
        self.close()

    def _send(self, payload: str | bytes) -> None:
        if isinstance(payload, str):
            self._write(encode_frame(TEXT, payload.encode()))
        else:
            self._write(encode_frame(BINARY, payload))

    def _write(self, frame: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            self._tally.counts["unsent"] += 1
        elif transport.get_write_buffer_size() > _UNSENT_BYTES:
            self._tally.counts["unsent.hub_does_not_read"] += 1
        else:
            transport.write(frame)


async def open_connection(
    url: str, robot: LightRobot, token: str | None, tally: Tally
) -> Connection | Ended:
    """Connect ``robot`` to the hub at ``url`` (``http(s)://`` or ``ws(s)://``); ``Ended`` if there
    is nobody."""
    address = urlsplit(url)
    secure = address.scheme in ("https", "wss")
    path = f"/robot?robot_id={quote(robot.name, safe='')}"
    request = upgrade_request(address.netloc, path, token)
    try:
        async with asyncio.timeout(_OPEN_TIMEOUT_S):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(robot, request, tally),
                address.hostname or "",
                address.port or (443 if secure else 80),
                ssl=ssl.create_default_context() if secure else None,
            )
    except (OSError, TimeoutError) as error:
        return Ended(UNREACHABLE, str(error) or "nobody answers")
    return connection
