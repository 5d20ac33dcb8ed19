"""What a peer sees of the facts the hub has accepted, with the missing ones asked for."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq

from agents.runtime.bus.follower import Follower, Need
from agents.runtime.bus.link import ControlLink
from agents.runtime.bus.sockets import FrameSocket, Reader
from protocols.bus import Snapshot
from protocols.codecs.bus import decode
from protocols.codecs.link import PROBE_DOWN, TAILS, Answer, decode_tails
from protocols.envelope import AnyEnvelope
from protocols.errors import HubError, MalformedFrame
from protocols.qos import MAX_CONTROL_BYTES
from protocols.routes import Routes
from protocols.topics import wire_topic


class Facts:
    """Reads all published facts, because a gap shows only to who sees a robot's whole sequence."""

    def __init__(self, routes: Routes, on_probe: Callable[[bytes], None]) -> None:
        self._routes = routes
        self._on_probe = on_probe
        self._follower = Follower()
        self._reader: Reader | None = None

    def open(
        self,
        context: zmq.Context[Any],
        path: Path,
        loop: asyncio.AbstractEventLoop,
        link: ControlLink,
        high_water: int,
    ) -> None:
        self._loop = loop
        self._link = link
        socket = FrameSocket(
            context,
            zmq.SUB,
            {
                zmq.RCVHWM: high_water,
                zmq.LINGER: 0,
                zmq.MAXMSGSIZE: 2 * MAX_CONTROL_BYTES,
                zmq.RECONNECT_IVL: 20,
                zmq.RECONNECT_IVL_MAX: 500,
            },
        )
        socket.set(zmq.SUBSCRIBE, b"")
        socket.connect(f"ipc://{path}")
        self._reader = Reader(loop, socket, self._on_message, lambda: None)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close(0)

    def _on_message(self, frames: list[bytes]) -> None:
        if len(frames) != 3:
            self._routes.refuse(MalformedFrame(f"{len(frames)} frames"))
            return
        topic, header, _ = frames
        try:
            if topic == TAILS:
                boot, orders = decode_tails(header)
                for robot, order in orders.items():
                    self._recover(self._follower.tail(robot, boot, order))
            elif topic.startswith(PROBE_DOWN):
                self._on_probe(topic)
            else:
                self._on_fact(topic, decode(topic, header)[1])
        except HubError as error:
            self._routes.refuse(error)

    def _on_fact(self, topic: bytes, envelope: AnyEnvelope) -> None:
        ready, need = self._follower.fact(envelope)
        if ready:
            self._routes.deliver(topic, envelope)
        self._recover(need)

    def _recover(self, need: Need | None) -> None:
        if need is None:
            return

        def answered(answer: Answer | None, envelopes: tuple[AnyEnvelope, ...]) -> None:
            if answer is None:
                self._follower.failed(need.robot)
                return
            if need.after < 0:
                snapshot = Snapshot(answer.boot, answer.order, envelopes)
                ready, further = self._follower.restored(need.robot, snapshot)
            else:
                facts = envelopes if answer.held else None
                ready, further = self._follower.replayed(need, facts)
            for envelope in ready:
                self._routes.deliver(wire_topic(type(envelope.body), envelope.robot), envelope)
            self._recover(further)

        self._link.ask(need.robot, need.boot, need.after, answered)
