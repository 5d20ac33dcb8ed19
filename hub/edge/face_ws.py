"""``WS /face``: the display of a robot's face, an ESP32 on Wi-Fi, by frames of its serial protocol.

Binary messages carry the bytes of the serial line, cut anywhere. The face shows what the hub tells
the robot of the same name, and its buttons speak for that robot.
"""

import asyncio

import structlog
from starlette.websockets import WebSocket

from hub.counters import Counters
from hub.edge.admission import admit_robot, note_end
from hub.edge.limits import MAX_STRIKES
from hub.edge.outbox import Frame
from hub.edge.rate import AudioBucket
from hub.edge.services import EdgeServices
from hub.edge.socket import wire_of
from hub.edge.wire import (
    CLOSE_HALF_OPEN,
    CLOSE_PROTOCOL_ERROR,
    CLOSE_RATE_LIMIT,
    WireLink,
)
from protocols.face_host import FaceHost, Noted, Step, requests

TICK_S = 0.02
BYTES_PER_S = 64 * 1024
"""Five times a serial line."""
MOST_GESTURES = 15
"""A face's own queue holds no more."""
_MAX_FRAME_BYTES = 4 * 1024

log = structlog.get_logger()


async def face_endpoint(websocket: WebSocket, services: EdgeServices) -> None:
    """Serve one face from handshake to close."""
    robot = await admit_robot(websocket, services)
    if robot is None:
        return
    wire = wire_of(websocket)
    link = WireLink(wire, services.counters, robot, in_order=True)
    connection = _Connection(robot, link, services)
    reason = ""
    log.info("face joined", robot=robot)
    try:
        async with asyncio.TaskGroup() as tasks:
            connection.open()
            wire.listen(connection.on_frame, link.on_flow)
            ticking = tasks.create_task(connection.tick())
            message = await websocket.receive()
            reason = str(message.get("reason") or "")
            ticking.cancel()
    finally:
        connection.end()
        note_end(services, robot, reason)
        log.info("face left", robot=robot)


class _Connection:
    """One face: what its robot shows goes out, what its user wants comes in."""

    def __init__(self, robot: str, link: WireLink, services: EdgeServices) -> None:
        self._robot = robot
        self._link = link
        self._host = FaceHost()
        self._gestures: list[str] = []
        self._faces = services.faces
        self._face = services.faces.watch(robot, self._queue)
        self._counters: Counters = services.counters
        self._clock_ns = services.clock_ns
        self._bucket = AudioBucket(asyncio.get_running_loop().time())
        self._strikes = 0

    def _queue(self, name: str) -> None:
        if len(self._gestures) < MOST_GESTURES:
            self._gestures.append(name)
        else:
            self._counters.count("face_gestures.dropped")

    def open(self) -> None:
        """The face is there."""
        self._do(self._host.opened(self._clock_ns()))

    async def tick(self) -> None:
        """Show what there is to show, fifty times a second, for as long as the face is there."""
        while not self._link.closed:
            now_ns = self._clock_ns()
            if self._host.link.gone_silent(now_ns):
                self._counters.count("faces.silent")
                self._link.close(CLOSE_HALF_OPEN, "silent")
                return
            self._show(now_ns)
            await asyncio.sleep(TICK_S)

    def on_frame(self, frame: Frame) -> None:
        """Bytes came."""
        if self._link.closed:
            return
        if isinstance(frame, str) or len(frame) > _MAX_FRAME_BYTES:
            self._counters.count("frames_refused.no_face_bytes")
            self._strikes += 1
            if self._strikes >= MAX_STRIKES:
                self._link.close(CLOSE_PROTOCOL_ERROR, "too_many_errors")
            return
        if not self._bucket.take(len(frame) / BYTES_PER_S, asyncio.get_running_loop().time()):
            self._counters.count("connections.over_rate")
            self._link.close(CLOSE_RATE_LIMIT, "more bytes than a face has")
            return
        self._do(self._host.received(frame, self._clock_ns()))

    def end(self) -> None:
        """The face is gone, and with it the hand on its button."""
        self._link.gone()
        self._do(self._host.closed())
        self._faces.leave(self._robot, self._queue)
        for reason, number in self._host.link.refused.items():
            self._counters.count(f"face_{reason}", number)

    def _show(self, now_ns: int) -> None:
        face, host = self._face, self._host
        if not face.connected:
            host.reset()
        self._do(host.converse(face.conversation, now_ns))
        self._do(host.show(face.emotion, face.intensity, now_ns))
        while self._gestures:
            self._do(host.gesture(self._gestures.pop(0), now_ns))
        energy = face.mouth.energy(now_ns)
        self._do(host.hush(now_ns) if energy is None else host.talk(energy, now_ns))
        self._do(host.advance(now_ns))

    def _do(self, step: Step) -> None:
        if data := step.data:
            self._link.write_control(data)
        for wish in step.wishes:
            if isinstance(wish, Noted):
                self._counters.count(f"{wish.event}s")
            for message in requests(wish):
                if not self._face.ask(message):
                    self._counters.count("face_wishes.no_robot")
