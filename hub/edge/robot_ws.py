"""``WS /robot``: the native wire. JSON text for control, binary frames for media."""

import asyncio
import contextlib
import functools
from dataclasses import dataclass

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.counters import Counters
from hub.edge.admission import admit_robot, attach, note_end
from hub.edge.camera import CameraIntake
from hub.edge.limits import HELLO_TIMEOUT_S, MAX_STRIKES
from hub.edge.mic import Intake, Piece
from hub.edge.opus import OpusDecoder, OrderedWork
from hub.edge.outbox import Frame
from hub.edge.probe import Probe
from hub.edge.rate import AudioBucket
from hub.edge.robot_frames import UnknownMessage, check_mic, read_hello, read_text
from hub.edge.robot_link import NativeLink
from hub.edge.services import EdgeServices
from hub.edge.socket import wire_of
from hub.edge.wire import (
    CLOSE_ABNORMAL,
    CLOSE_INTERNAL,
    CLOSE_PROTOCOL_ERROR,
    CLOSE_RATE_LIMIT,
    CLOSE_TOO_LARGE,
    CLOSE_WIRE_VERSION,
)
from hub.errors import BadRequest
from hub.session.link import RobotSession
from protocols.codecs.robot import decode_media, encode_text
from protocols.errors import (
    BadAudio,
    BadPicture,
    FrameTooLarge,
    HubError,
    ProtocolError,
    UnknownVersion,
)
from protocols.messages.audio import MIC_RATE_HZ
from protocols.messages.robot import (
    CameraPicture,
    Codec,
    EndUtterance,
    Error,
    Hello,
    MicFrame,
    Pong,
)

log = structlog.get_logger()

_DECODE_AHEAD = 500
_OPUS_PACKET_S = 0.02


async def robot_endpoint(websocket: WebSocket, services: EdgeServices) -> None:
    """Serve one connection from handshake to close."""
    robot = await admit_robot(websocket, services)
    if robot is None:
        return
    hello = await _hello(websocket, services.counters)
    if hello is None:
        return
    wire = wire_of(websocket)
    link = NativeLink(wire, services.counters, robot, hello, services.threads, services.clock_ns)
    session = await attach(websocket, services, robot, hello, link)
    if session is None:
        return
    probe = Probe(
        link,
        services.counters,
        services.clock_ns,
        lambda reading: services.clocks.note(robot, session.epoch, reading),
    )
    connection = _Connection(link, session, hello, services, probe)
    code, reason = CLOSE_ABNORMAL, ""
    try:
        wire.listen(connection.on_frame, link.on_flow)
        probe.ping()
        # Frames go to the connection; all that is left to ASGI is the end.
        message = await websocket.receive()
        code, reason = int(message.get("code") or code), str(message.get("reason") or "")
    finally:
        probe.stop()
        services.clocks.forget(robot, session.epoch)
        connection.end()
        note_end(services, robot, reason)
        session.detach(code, reason)


async def _hello(websocket: WebSocket, counters: Counters) -> Hello | None:
    """The first frame; None if it was refused and the connection closed."""
    try:
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        return read_hello(message.get("text") or message.get("bytes") or b"")
    except TimeoutError:
        refusal, code = "hello_timeout", CLOSE_PROTOCOL_ERROR
    except UnknownVersion as error:
        refusal, code = str(error), CLOSE_WIRE_VERSION
        counters.count("frames_refused.unknown_version")
    except FrameTooLarge as error:
        refusal, code = str(error), CLOSE_TOO_LARGE
        counters.count("frames_refused.frame_too_large")
    except (ProtocolError, BadRequest) as error:
        refusal, code = error.code, CLOSE_PROTOCOL_ERROR
        counters.count(f"frames_refused.{error.code}")
        with contextlib.suppress(WebSocketDisconnect):
            await websocket.send_text(encode_text(Error(code=error.code, message=str(error))))
    with contextlib.suppress(WebSocketDisconnect):
        await websocket.close(code, refusal[:100])
    return None


@dataclass
class _Packet:
    header: MicFrame
    pcm: bytes | BadAudio


class _Connection:
    """Frames of one robot on their way into its session. Faults are answered; many end it."""

    def __init__(
        self,
        link: NativeLink,
        session: RobotSession,
        hello: Hello,
        services: EdgeServices,
        probe: Probe,
    ) -> None:
        counters = services.counters
        self._time = asyncio.get_running_loop().time
        self._link = link
        self._session = session
        self._probe = probe
        self._codec = hello.codec
        self._counters = counters
        self._clock_ns = services.clock_ns
        self._bucket = AudioBucket(self._time())
        camera = hello.capabilities.camera
        self._camera = CameraIntake(camera, session.on_camera, counters, services.clock_ns() / 1e9)
        self._intake = Intake(session.on_mic, counters, hello.speech_rate_hz)
        self._decoder: OpusDecoder | None = None
        self._decoding = OrderedWork(services.threads, self._on_decoded, _DECODE_AHEAD)
        self._strikes = 0

    def on_frame(self, frame: Frame) -> None:
        """Take a frame off the wire; nothing is raised into the socket."""
        if self._link.closed:
            return
        try:
            if isinstance(frame, str):
                self._on_text(frame)
            else:
                self._on_media(frame)
        except FrameTooLarge as error:
            self._counters.count("frames_refused.frame_too_large")
            self._link.close(CLOSE_TOO_LARGE, str(error)[:100])
        except (ProtocolError, BadRequest) as error:
            self._refuse(error)
        except Exception:
            log.exception("robot connection failed", robot=self._session.robot)
            self._counters.count("connections.failed")
            self._link.close(CLOSE_INTERNAL, "internal_error")

    def end(self) -> None:
        """The connection is gone."""
        self._link.gone()
        self._decoding.close()
        self._intake.clear()

    def _on_text(self, frame: str) -> None:
        message = read_text(frame)
        if isinstance(message, Hello):
            raise BadRequest("hello is the first message and only that")
        if isinstance(message, Pong):
            self._probe.on_pong(message)
            return
        deliver = functools.partial(self._session.on_message, message)
        if isinstance(message, EndUtterance):
            self._intake.after(deliver)
        else:
            deliver()

    def _on_media(self, frame: bytes) -> None:
        header, payload = decode_media(frame)
        if isinstance(header, CameraPicture):
            self._camera.feed(header, payload, self._link.clock.reading, self._clock_ns())
        else:
            self._on_mic(check_mic(header), payload)

    def _on_mic(self, mic: MicFrame, payload: bytes) -> None:
        if mic.codec is not self._codec:
            raise BadAudio(f"hello said {self._codec}, the frame is {mic.codec}")
        pcm = mic.codec is Codec.PCM
        audio_s = len(payload) / (2 * MIC_RATE_HZ) if pcm else _OPUS_PACKET_S
        if not self._bucket.take(audio_s, self._time()):
            self._counters.count("connections.over_rate")
            self._link.close(CLOSE_RATE_LIMIT, "audio faster than real time")
        elif pcm:
            self._intake.feed(Piece(mic.first_sample, payload, mic.playout_sample))
        elif not self._decoding.submit(functools.partial(self._decode, mic, payload)):
            self._counters.count("mic_packets.decoder_overrun")

    def _decode(self, header: MicFrame, packet: bytes) -> _Packet:
        """In a thread, one call at a time."""
        if self._decoder is None:
            self._decoder = OpusDecoder()
        try:
            return _Packet(header, self._decoder.decode(packet))
        except BadAudio as error:
            return _Packet(header, error)

    def _on_decoded(self, packet: _Packet) -> None:
        if isinstance(packet.pcm, BadAudio):
            self._refuse(packet.pcm)
        elif packet.pcm:
            header = packet.header
            self._intake.feed(Piece(header.first_sample, packet.pcm, header.playout_sample))

    def _refuse(self, error: HubError) -> None:
        self._counters.count(f"frames_refused.{error.code}")
        self._link.send(Error(code=error.code, message=str(error)[:500]))
        if not isinstance(error, UnknownMessage | BadPicture):
            self._strikes += 1
        if self._strikes >= MAX_STRIKES:
            self._link.close(CLOSE_PROTOCOL_ERROR, "too_many_errors")
