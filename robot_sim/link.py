"""The robot's end of ``WS /robot``: connects, greets, and comes back as the close code allows."""

import asyncio
import random
from collections import Counter
from typing import Protocol
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from protocols.codecs.robot import decode_media, decode_to_robot, encode_media, encode_text
from protocols.errors import ProtocolError
from protocols.messages.robot import FromRobot, Hello, MicFrame, SpeechFrame, ToRobot, Welcome
from robot_sim.errors import LinkGone
from robot_sim.faults import NO_FAULTS, FaultPlan, Faults
from robot_sim.outbox import Outbox
from robot_sim.reconnect import NOT_AUTHORISED, GiveUp, after_close

_MAX_FRAME_BYTES = 512 * 1024
_OPEN_TIMEOUT_S = 5.0
_NO_CONNECTION = 1006
_REFUSED = (401, 403)


class Receiver(Protocol):
    """Who is told what the link brings; plain functions on the loop."""

    def on_linked(self, welcome: Welcome) -> None: ...

    def on_message(self, message: ToRobot) -> None: ...

    def on_speech(self, header: SpeechFrame, pcm: bytes) -> None: ...

    def on_unlinked(self, code: int, reason: str) -> None: ...


class Link:
    """One robot's connection to its hub, over any number of sockets.

    ``counters``: frames that were ``refused`` by code, ``unsent`` because there was no link, lost
    by ``mic_overrun`` or by the faults that were asked for.
    """

    def __init__(
        self,
        url: str,
        robot_id: str,
        hello: Hello,
        *,
        token: str | None = None,
        faults: Faults = NO_FAULTS,
        seed: int = 0,
    ) -> None:
        """``url`` is the hub's base, ``ws(s)://`` or ``http(s)://``."""
        self.counters: Counter[str] = Counter()
        self._url = f"{_websocket_base(url)}/robot?robot_id={quote(robot_id, safe='')}"
        self._hello = hello
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._plan = FaultPlan(faults)
        self._random = random.Random(seed or robot_id)
        self._outbox: Outbox | None = None
        self._socket: ClientConnection | None = None
        self._attempt = 0

    @property
    def up(self) -> bool:
        """Whether the hub has welcomed this robot and the connection stands."""
        return self._outbox is not None

    def send(self, message: FromRobot) -> None:
        """Send a control message, if there is a link."""
        self._put(encode_text(message))

    def send_mic(self, header: MicFrame, pcm: bytes) -> None:
        """Send a microphone frame, if there is a link."""
        self._put(encode_media(header, pcm))

    def _put(self, frame: str | bytes) -> None:
        if self._outbox is None:
            self.counters["unsent"] += 1
        else:
            self._outbox.put(frame)

    async def cut(self) -> None:
        """Break the socket without a close frame, as a dead radio link would."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def run(self, receiver: Receiver) -> None:
        """Keep the robot connected until cancelled.

        Raises:
            LinkGone: the hub will not have it back.
        """
        while True:
            code, reason = await self._connection(receiver)
            receiver.on_unlinked(code, reason)
            decision = after_close(code, reason, self._url, self._attempt, self._random)
            if isinstance(decision, GiveUp):
                raise LinkGone(f"{decision.reason} (close code {code})")
            self._attempt += 1
            self._url = decision.url
            await asyncio.sleep(decision.after_s)

    async def _connection(self, receiver: Receiver) -> tuple[int, str]:
        """One socket from handshake to close; its close code and reason."""
        try:
            async with connect(
                self._url,
                additional_headers=self._headers,
                compression=None,
                max_size=_MAX_FRAME_BYTES,
                open_timeout=_OPEN_TIMEOUT_S,
                proxy=None,
            ) as socket:
                self._socket = socket
                await self._converse(socket, receiver)
                return socket.close_code or _NO_CONNECTION, socket.close_reason or ""
        except InvalidStatus as error:
            status = error.response.status_code
            code = NOT_AUTHORISED if status in _REFUSED else _NO_CONNECTION
            return code, f"the hub answered HTTP {status}"
        except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError) as error:
            return _NO_CONNECTION, str(error)
        finally:
            self._outbox = self._socket = None

    async def _converse(self, socket: ClientConnection, receiver: Receiver) -> None:
        await socket.send(encode_text(self._hello))
        outbox = Outbox(self._plan, self.counters)
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(_write(socket, outbox))
            try:
                async for frame in socket:
                    self._on_frame(frame, outbox, receiver)
            except ConnectionClosed:
                pass
            finally:
                writer.cancel()

    def _on_frame(self, frame: str | bytes, outbox: Outbox, receiver: Receiver) -> None:
        """Hand a frame on; one that cannot be read is counted and harms no other."""
        try:
            if isinstance(frame, bytes):
                header, payload = decode_media(frame)
                if isinstance(header, SpeechFrame):
                    receiver.on_speech(header, payload)
                return
            message = decode_to_robot(frame)
        except ProtocolError as error:
            self.counters[f"refused.{error.code}"] += 1
            return
        if isinstance(message, Welcome):
            self._welcomed(message, outbox)
            receiver.on_linked(message)
        receiver.on_message(message)

    def _welcomed(self, welcome: Welcome, outbox: Outbox) -> None:
        self._outbox = outbox
        self._attempt = 0
        self._hello = msgspec.structs.replace(
            self._hello, resume=welcome.resume, boot=welcome.boot, order=welcome.order
        )


async def _write(socket: ClientConnection, outbox: Outbox) -> None:
    try:
        while True:
            await socket.send(await outbox.take())
    except ConnectionClosed:
        return


def _websocket_base(url: str) -> str:
    base = url.rstrip("/")
    if base.startswith("http"):
        base = "ws" + base.removeprefix("http")
    return base
