"""``WS /ai/stream``: a conversation in sound. To the hub its client is a robot that is there for as
long as its connection: what it said is forgotten with it."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Collection, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.counters import Counters
from hub.edge.admission import admit_caller, attach, note_end
from hub.edge.limits import HELLO_TIMEOUT_S, MAX_STRIKES
from hub.edge.mic import Intake, Piece
from hub.edge.outbox import Frame
from hub.edge.rate import AudioBucket
from hub.edge.rights import Right
from hub.edge.services import EdgeServices
from hub.edge.socket import wire_of
from hub.edge.wespoke.stream_frames import (
    BadFrame,
    Cancel,
    EndUtterance,
    Json,
    Start,
    Typed,
    error_frame,
    read_frame,
    ready_frame,
    to_client,
)
from hub.edge.wire import (
    CLOSE_ABNORMAL,
    CLOSE_INTERNAL,
    CLOSE_PROTOCOL_ERROR,
    CLOSE_RATE_LIMIT,
    Wire,
    WireLink,
)
from hub.session.link import LinkProfile, RobotSession
from protocols.errors import HubError
from protocols.messages import robot
from protocols.qos import QueueDepth

if TYPE_CHECKING:
    from hub.edge.wespoke.stream_microphone import Microphone

PROFILE = LinkProfile(frame_ms=20, lead_ms=200, max_lead_ms=200, can_flush=False)
"""Clients of this wire tell nothing of what they played: they are sent little ahead of it."""

log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


class Guests:
    """Names of clients that are robots for a while. They are used again, so that the hub keeps no
    more of them than there were at once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    @contextlib.contextmanager
    def name(self, robots: Collection[str]) -> Iterator[str]:
        """A name that neither another guest has, nor one of the ``robots``."""
        number = 1
        while f"ai.{number}" in self._taken or f"ai.{number}" in robots:
            number += 1
        name = f"ai.{number}"
        self._taken.add(name)
        try:
            yield name
        finally:
            self._taken.discard(name)


class Streaming:
    """Serves the connections; one for the whole hub."""

    def __init__(self) -> None:
        self._guests = Guests()

    async def __call__(self, websocket: WebSocket, services: EdgeServices) -> None:
        """Serve one connection from handshake to close."""
        if await admit_caller(websocket, services, Right.USE) is None:
            return
        start = await _start(websocket, services.counters)
        if start is None:
            return
        with self._guests.name(services.health().robots) as name:
            await _converse(websocket, services, start, name)


async def _converse(websocket: WebSocket, services: EdgeServices, start: Start, name: str) -> None:
    # What resamples is large: it is loaded when somebody comes, and not while others are answered.
    loaded = await asyncio.to_thread(import_module, "hub.edge.wespoke.stream_microphone")
    wire = wire_of(websocket)
    link = StreamLink(wire, services.counters, name, start.output.sample_rate)
    microphone = loaded.Microphone(start.format)
    session = await attach(websocket, services, name, start.hello(), link, fresh=True)
    if session is None:
        return
    # Told even if there is nothing to tell: the name may have been another guest's.
    session.on_message(robot.Profile(profile=start.profile))
    connection = _Connection(link, session, microphone, services.counters)
    code, reason = CLOSE_ABNORMAL, ""
    try:
        wire.listen(connection.on_frame, link.on_flow)
        # Frames go to the connection; all that is left to ASGI is the end.
        message = await websocket.receive()
        code, reason = int(message.get("code") or code), str(message.get("reason") or "")
    finally:
        connection.end()
        note_end(services, name, reason)
        session.detach(code, reason)


async def _start(websocket: WebSocket, counters: Counters) -> Start | None:
    """The first message; None if it was refused and the connection closed."""
    refusal = "start_timeout"
    try:
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        start = read_frame(message.get("text") or "")
        if isinstance(start, Start):
            return start
        raise BadFrame("the first message is start")
    except TimeoutError:
        pass
    except BadFrame as error:
        refusal = error.code
        counters.count(f"frames_refused.{error.code}")
        frame = _encode(error_frame(error.code, str(error)))
        with contextlib.suppress(WebSocketDisconnect):
            await websocket.send_text(frame.decode())
    with contextlib.suppress(WebSocketDisconnect):
        await websocket.close(CLOSE_PROTOCOL_ERROR, refusal)
    return None


class StreamLink:
    """A ``RobotLink`` over ``/ai/stream``. All frames leave in order, for order is their meaning."""

    profile = PROFILE

    def __init__(self, wire: Wire, counters: Counters, name: str, rate_hz: int) -> None:
        self._wire = WireLink(wire, counters, name, in_order=True)
        self._rate_hz = rate_hz
        self._phrase = (0, -1)

    @property
    def closed(self) -> bool:
        """Whether nothing can be told any more."""
        return self._wire.closed

    @property
    def on_flow(self) -> Callable[[bool], None]:
        """What the socket tells of its room."""
        return self._wire.on_flow

    def send(self, message: robot.ToRobot) -> None:
        """See ``RobotLink``."""
        if isinstance(message, robot.Welcome):
            self.tell(ready_frame(message, self._rate_hz))
        elif not self._is_repeated(message) and (told := to_client(message)) is not None:
            self.tell(told)

    def tell(self, message: Json) -> None:
        """Send a message of this wire."""
        self._wire.write_control(_encode(message).decode())

    def send_speech(self, header: robot.SpeechFrame, pcm: bytes) -> None:
        """See ``RobotLink``."""
        self._wire.write_speech(header.turn, pcm)

    def depths(self) -> tuple[QueueDepth, ...]:
        """See ``hub.session.tap.Deep``."""
        return self._wire.depths()

    def drop_speech(self, upto_turn: int) -> None:
        """See ``RobotLink``."""
        self._wire.drop_speech(upto_turn)

    def close(self, code: int, reason: str) -> None:
        """See ``RobotLink``."""
        self._wire.close(code, reason)

    def gone(self) -> None:
        """The connection has ended by itself."""
        self._wire.gone()

    def _is_repeated(self, message: robot.ToRobot) -> bool:
        """Whether it only tells further times of words that were told."""
        if not isinstance(message, robot.SpeechText):
            return False
        phrase = (message.turn, message.phrase)
        if phrase <= self._phrase:
            return True
        self._phrase = phrase
        return False


class _Connection:
    """Frames of one client on their way into its session."""

    def __init__(
        self,
        link: StreamLink,
        session: RobotSession,
        microphone: "Microphone",
        counters: Counters,
    ) -> None:
        self._link = link
        self._session = session
        self._counters = counters
        self._microphone = microphone
        self._bucket = AudioBucket(_now_s())
        self._intake = Intake(session.on_mic, counters)
        self._faults = 0

    def on_frame(self, frame: Frame) -> None:
        """Take a frame off the wire; nothing is raised into the socket."""
        if self._link.closed:
            return
        try:
            if isinstance(frame, str):
                self._on_message(frame)
            else:
                self._on_audio(bytes(frame))
        except HubError as error:
            self._refuse(error)
        except Exception:
            log.exception("stream connection failed", robot=self._session.robot)
            self._counters.count("connections.failed")
            self._link.close(CLOSE_INTERNAL, "internal_error")

    def end(self) -> None:
        """The connection is gone."""
        self._link.gone()
        self._intake.clear()

    def _on_message(self, frame: str) -> None:
        match read_frame(frame):
            case Typed(text=text):
                self._session.on_message(robot.Text(text=text))
            case EndUtterance():
                self._hear(self._microphone.rest())
                over = functools.partial(self._session.on_message, robot.EndUtterance())
                self._intake.after(over)
            case Cancel():
                self._session.on_message(robot.Cancel())
            case Start():
                raise BadFrame("start is the first message and only that")

    def _on_audio(self, pcm: bytes) -> None:
        if not self._bucket.take(self._microphone.check(pcm), _now_s()):
            self._counters.count("connections.over_rate")
            self._link.close(CLOSE_RATE_LIMIT, "audio faster than real time")
            return
        self._hear(self._microphone.feed(pcm))

    def _hear(self, pcm: bytes) -> None:
        if pcm:
            self._intake.feed(Piece(self._intake.position, pcm, -1))

    def _refuse(self, error: HubError) -> None:
        self._counters.count(f"frames_refused.{error.code}")
        self._link.tell(error_frame(error.code, str(error)[:500]))
        self._faults += 1
        if self._faults >= MAX_STRIKES:
            self._link.close(CLOSE_PROTOCOL_ERROR, "too_many_errors")


def _now_s() -> float:
    return asyncio.get_running_loop().time()
