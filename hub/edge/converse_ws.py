"""``WS /converse``: existing supervisors' wire, with real cancel and barge-in behind it."""

import asyncio
import functools
from collections.abc import Callable, Mapping

import msgspec
import structlog
from starlette.websockets import WebSocket

from hub.counters import Counters
from hub.edge.admission import admit_robot, attach, note_end
from hub.edge.converse import (
    MAX_BUFFER_BYTES,
    NO_AUDIO,
    OVERFLOW,
    Out,
    Translator,
    error_frame,
)
from hub.edge.converse_frames import (
    Audio,
    End,
    Fault,
    FromClient,
    Say,
    SetProfile,
    Stop,
    parse,
)
from hub.edge.limits import MAX_STRIKES, MAX_TEXT_CHARS
from hub.edge.mic import Intake, Piece
from hub.edge.outbox import Frame
from hub.edge.rate import AudioBucket
from hub.edge.services import EdgeServices
from hub.edge.socket import wire_of
from hub.edge.wire import (
    CLOSE_ABNORMAL,
    CLOSE_INTERNAL,
    CLOSE_PROTOCOL_ERROR,
    CLOSE_RATE_LIMIT,
    Wire,
    WireLink,
)
from hub.session.link import LinkProfile, RobotSession
from protocols.messages.audio import MIC_RATE_HZ
from protocols.messages.robot import (
    Cancel,
    EndUtterance,
    Hello,
    Profile,
    SpeechFrame,
    Text,
    ToRobot,
)
from protocols.messages.session import Attention, EchoCanceller, Endpointing
from protocols.qos import QueueDepth

LEGACY = LinkProfile(frame_ms=10, lead_ms=120, max_lead_ms=120, can_flush=False)

BURST_S = 35.0
"""What may come at once: clients of this wire may send a whole utterance when it is over, and must
be able to see ``audio_buffer_overflow`` when it is too long."""

log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


async def converse_endpoint(websocket: WebSocket, services: EdgeServices) -> None:
    """Serve one connection from handshake to close."""
    robot = await admit_robot(websocket, services)
    if robot is None:
        return
    wire = wire_of(websocket)
    link = ConverseLink(wire, services.counters, robot)
    hello = hello_from(websocket.query_params)
    session = await attach(websocket, services, robot, hello, link)
    if session is None:
        return
    connection = _Connection(link, session, hello.endpointing, services.counters)
    code, reason = CLOSE_ABNORMAL, ""
    try:
        wire.listen(connection.on_frame, link.on_flow)
        # Frames go to the connection; all that is left to ASGI is the end.
        message = await websocket.receive()
        code, reason = int(message.get("code") or code), str(message.get("reason") or "")
    finally:
        connection.end()
        note_end(services, robot, reason)
        session.detach(code, reason)


def hello_from(query: Mapping[str, str]) -> Hello:
    """The ``hello`` that a client of this wire would send, from the query of its address."""
    return Hello(
        client="converse",
        attention=Attention.OPEN,  # its users have a button, or a wake word, of their own
        speech_rate_hz=MIC_RATE_HZ,
        aec=EchoCanceller.DEVICE if query.get("aec") == "device" else EchoCanceller.NONE,
        endpointing=Endpointing.HUB if query.get("endpointing") == "hub" else Endpointing.CLIENT,
    )


class ConverseLink:
    """A ``RobotLink`` over ``/converse``. All frames leave in order, for order is their meaning."""

    profile = LEGACY

    def __init__(self, wire: Wire, counters: Counters, robot: str) -> None:
        self._wire = WireLink(wire, counters, robot, in_order=True)
        self.translator = Translator()

    @property
    def closed(self) -> bool:
        return self._wire.closed

    @property
    def on_flow(self) -> Callable[[bool], None]:
        return self._wire.on_flow

    def send(self, message: ToRobot) -> None:
        self._write(self.translator.to_client(message, _now_s()))

    def send_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        self._write(self.translator.audio(header, pcm, _now_s()))

    def send_error(self, message: str, listening: bool = False) -> None:
        """Tell the client what was wrong with what it sent."""
        self._write([Out(error_frame(message))])
        if listening:
            self._write([Out({"type": "listening"})])

    def depths(self) -> tuple[QueueDepth, ...]:
        """See ``hub.session.tap.Deep``."""
        return self._wire.depths()

    def drop_speech(self, upto_turn: int) -> None:
        self._wire.drop_speech(upto_turn)

    def close(self, code: int, reason: str) -> None:
        self._wire.close(code, reason)

    def gone(self) -> None:
        """The connection has ended by itself."""
        self._wire.gone()

    def _write(self, frames: list[Out]) -> None:
        for message, turn in frames:
            text = _encode(message).decode()
            if turn:
                self._wire.write_speech(turn, text)
            else:
                self._wire.write_control(text)


class _Connection:
    """Frames of one client on their way into its session."""

    def __init__(
        self,
        link: ConverseLink,
        session: RobotSession,
        endpointing: Endpointing,
        counters: Counters,
    ) -> None:
        self._link = link
        self._session = session
        self._client_ends = endpointing is Endpointing.CLIENT
        self._counters = counters
        self._bucket = AudioBucket(_now_s(), BURST_S)
        self._intake = Intake(session.on_mic, counters)
        self._buffered_bytes = 0
        self._faults = 0

    def on_frame(self, frame: Frame) -> None:
        """Take a frame off the wire; nothing is raised into the socket."""
        if self._link.closed:
            return
        try:
            self._on_message(parse(frame))
        except Exception:
            log.exception("converse connection failed", robot=self._session.robot)
            self._counters.count("connections.failed")
            self._link.send_error("Internal server error")
            self._link.close(CLOSE_INTERNAL, "internal_error")

    def end(self) -> None:
        """The connection is gone."""
        self._link.gone()
        self._intake.clear()

    def _on_message(self, message: FromClient | None) -> None:
        match message:
            case Audio(pcm):
                self._on_audio(pcm)
            case End():
                self._on_end()
            case Say(text) if len(text) > MAX_TEXT_CHARS:
                self._fault(f"text_too_long: {MAX_TEXT_CHARS} characters are allowed")
            case Say(text):
                self._session.on_message(Text(text=text))
            case Stop():
                self._buffered_bytes = 0
                self._intake.clear()
                self._session.on_message(Cancel())
            case SetProfile(profile):
                self._session.on_message(Profile(profile=profile))
            case Fault(text):
                self._fault(text)
            case None:
                self._counters.count("frames_ignored.converse")

    def _on_audio(self, pcm: bytes) -> None:
        if not self._bucket.take(len(pcm) / (2 * MIC_RATE_HZ), _now_s()):
            self._counters.count("connections.over_rate")
            self._link.close(CLOSE_RATE_LIMIT, "audio faster than real time")
            return
        if self._client_ends and self._buffered_bytes + len(pcm) > MAX_BUFFER_BYTES:
            self._overflow()
            return
        self._buffered_bytes += len(pcm)
        self._intake.feed(Piece(self._intake.position, pcm, -1))

    def _overflow(self) -> None:
        self._counters.count("converse_buffers.overflown")
        self._buffered_bytes = 0
        self._intake.clear()
        if not self._link.translator.in_turn:
            # Forget the utterance; a turn that is being answered must not end with it.
            self._session.on_message(Cancel())
        self._link.send_error(OVERFLOW, listening=True)

    def _on_end(self) -> None:
        if self._buffered_bytes == 0:
            if self._client_ends:
                self._link.send_error(NO_AUDIO)
            return
        self._buffered_bytes = 0
        self._link.translator.utterance_ended(_now_s())
        self._intake.after(functools.partial(self._session.on_message, EndUtterance()))

    def _fault(self, text: str) -> None:
        self._counters.count("frames_refused.converse")
        self._link.send_error(text)
        self._faults += 1
        if self._faults >= MAX_STRIKES:
            self._link.close(CLOSE_PROTOCOL_ERROR, "too_many_errors")


def _now_s() -> float:
    return asyncio.get_running_loop().time()
