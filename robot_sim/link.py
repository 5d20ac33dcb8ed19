"""The robot's end of ``WS /robot``: connects, greets, and comes back as the close code allows."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from protocols.codecs.robot import decode_media, decode_to_robot, encode_media, encode_text
from protocols.errors import ProtocolError
from protocols.messages.robot import (
    CameraPicture,
    FromRobot,
    Hello,
    MicFrame,
    Numbered,
    Playing,
    SpeechFrame,
    ToRobot,
    Welcome,
)
from robot_sim.errors import LinkGone
from robot_sim.faults import NO_FAULTS, FaultPlan, Faults
from robot_sim.outbox import Kind, Outbox
from robot_sim.reconnect import LOST, MOVED, NOT_AUTHORISED, GiveUp, after_close
from robot_sim.sequence import Sequence

_MAX_FRAME_BYTES = 512 * 1024
_OPEN_TIMEOUT_S = 5.0
_CLOSE_TIMEOUT_S = 0.5
_PING_EVERY_S = 1.5
_PONG_DEADLINE_S = 4.0
"""A hub that leaves a ping unanswered for so long is not there, whatever the socket says: the link
is half-open. Longer than most stalls of a network; after others the session is resumed."""
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
    by ``mic_overrun``, ``picture_overrun`` or by the faults that were asked for; numbered messages that were missing
    (``control_gap``) or had come before (``control_repeated``, not handed on).
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
        hub_id: str = "",
        playing: Callable[[], Playing | None] = lambda: None,
    ) -> None:
        """``url`` is the hub's base, ``ws(s)://`` or ``http(s)://``. ``hub_id`` names the hub that
        the robot is paired with, else the first that welcomes it; ``playing`` says where the
        loudspeaker stands, for a hub that is to go on from there."""
        self.counters: Counter[str] = Counter()
        self._robot_id = robot_id
        self._url = _robot_url(url, robot_id)
        self._hello = hello
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._plan = FaultPlan(faults)
        self._random = random.Random(seed or robot_id)
        self._outbox: Outbox | None = None
        self._socket: ClientConnection | None = None
        self._attempt = 0
        self._hub_id = hub_id
        self._stranger = ""
        self._playing = playing
        self._sequence = Sequence()
        self._deaf = False

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

    def send_picture(self, header: CameraPicture, jpeg: bytes) -> None:
        """Send a picture of the camera, if there is a link."""
        self._put(encode_media(header, jpeg), Kind.PICTURE)

    def _put(self, frame: str | bytes, kind: Kind | None = None) -> None:
        if self._outbox is None:
            self.counters["unsent"] += 1
        else:
            self._outbox.put(frame, kind)

    def aim(self, url: str) -> None:
        """The hub is at ``url`` from the next attempt on."""
        self._url = _robot_url(url, self._robot_id)

    async def cut(self) -> None:
        """Break the socket without a close frame, as a dead radio link would."""
        self.abort()

    def abort(self) -> None:
        """As ``cut``; nothing that has come on this socket is handed on any more."""
        self._outbox = None
        self._deaf = True
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
            if self._stranger:
                raise LinkGone(
                    f"hub {self._stranger} answers; this robot is paired with {self._hub_id}"
                )
            decision = after_close(code, reason, self._url, self._attempt, self._random)
            if isinstance(decision, GiveUp):
                raise LinkGone(f"{decision.reason} (close code {code})", code)
            self._attempt += 1
            if code == MOVED and decision.url != self._url:
                self._hub_id = ""
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
                close_timeout=_CLOSE_TIMEOUT_S,
                ping_interval=_PING_EVERY_S,
                ping_timeout=_PONG_DEADLINE_S,
                proxy=None,
            ) as socket:
                self._socket, self._deaf = socket, False
                await self._converse(socket, receiver)
                return socket.close_code or LOST, socket.close_reason or ""
        except InvalidStatus as error:
            status = error.response.status_code
            code = NOT_AUTHORISED if status in _REFUSED else LOST
            return code, f"the hub answered HTTP {status}"
        except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError) as error:
            return LOST, str(error)
        finally:
            self._outbox = self._socket = None

    async def _converse(self, socket: ClientConnection, receiver: Receiver) -> None:
        await socket.send(encode_text(self._greeting()))
        outbox = Outbox(self._plan, self.counters)
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(_write(socket, outbox))
            try:
                async for frame in socket:
                    self._on_frame(frame, outbox, receiver)
                    if self._stranger:
                        await socket.close()
            except ConnectionClosed:
                pass
            finally:
                writer.cancel()

    def _greeting(self) -> Hello:
        if not self._hello.resume:
            return self._hello
        seen = self._sequence
        return msgspec.structs.replace(
            self._hello, boot=seen.boot, order=seen.last, playing=self._playing()
        )

    def _on_frame(self, frame: str | bytes, outbox: Outbox, receiver: Receiver) -> None:
        """Hand a frame on; one that cannot be read is counted and harms no other."""
        if self._deaf:
            return
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
            if self._hub_id not in ("", message.hub_id):
                self._stranger = message.hub_id
                return
            self._welcomed(message, outbox)
            receiver.on_linked(message)
        elif isinstance(message, Numbered) and message.order and not self._is_news(message):
            return
        receiver.on_message(message)

    def _welcomed(self, welcome: Welcome, outbox: Outbox) -> None:
        self._outbox = outbox
        self._attempt = 0
        self._hub_id = welcome.hub_id
        self._sequence.welcomed(welcome)
        self._hello = msgspec.structs.replace(self._hello, resume=welcome.resume, boot=welcome.boot)

    def _is_news(self, message: Numbered) -> bool:
        news = self._sequence.take(message.order)
        self.counters["control_gap"] = self._sequence.gaps
        self.counters["control_repeated"] = self._sequence.repeats
        return news


async def _write(socket: ClientConnection, outbox: Outbox) -> None:
    try:
        while True:
            await socket.send(await outbox.take())
    except ConnectionClosed:
        return


def _robot_url(base: str, robot_id: str) -> str:
    return f"{websocket_base(base)}/robot?robot_id={quote(robot_id, safe='')}"


def websocket_base(url: str) -> str:
    """A hub's base URL, ``http(s)://`` or ``ws(s)://``, as that of its WebSockets."""
    base = url.rstrip("/")
    if base.startswith("http"):
        base = "ws" + base.removeprefix("http")
    return base
