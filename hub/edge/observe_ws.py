"""``WS /observe?robot=``: what happens in the hub, for a page that shows it; JSON text, one way.

The first frame is a ``hello``; then come batches, five a second at most, and only while the socket
takes them. What a slow or hidden page does not take is dropped here, counted, and told to it; no
robot ever waits for it. What the page sends means nothing.
"""

import asyncio
from typing import Any

import msgspec
from starlette.websockets import WebSocket

from hub.edge.admission import admit_caller
from hub.edge.outbox import Frame
from hub.edge.rights import ALLOWED, Right
from hub.edge.services import EdgeServices
from hub.edge.socket import wire_of
from hub.edge.wire import CLOSE_BAD_IDENTITY, CLOSE_TOO_MANY, Wire
from hub.observing.decimator import Decimator
from hub.observing.observatory import Observatory
from hub.recent import RecentEvents
from hub.trace.entries import Entry
from protocols.errors import BadIdentity
from protocols.identity import checked_robot_id

BATCH_S = 0.2
"""The shortest time between two batches."""
RECENT_EVENTS = 100

_encode = msgspec.json.Encoder().encode


async def observe_endpoint(websocket: WebSocket, services: EdgeServices) -> None:
    """Serve one observer from handshake to close."""
    grant = await admit_caller(websocket, services, Right.WATCH)
    if grant is None:
        return
    of = websocket.query_params.get("robot", "")
    try:
        if of:
            checked_robot_id(of)
    except BadIdentity as error:
        await websocket.close(CLOSE_BAD_IDENTITY, error.code)
        return
    if services.observatory.full:
        services.counters.count(f"connections_refused.{CLOSE_TOO_MANY}")
        await websocket.close(CLOSE_TOO_MANY, "too_many_observers")
        return
    words = Right.HEAR in ALLOWED[grant.scope]
    wire = wire_of(websocket)
    wire.write(_text(_hello(services, of, words)))
    observer = _Observer(wire, services.observatory, Decimator(of, words=words), of)
    try:
        observer.begin()
        await websocket.receive()  # frames go to the observer: what is left is the end
    finally:
        services.counters.count("observations.dropped", observer.end())


def _hello(services: EdgeServices, of: str, words: bool) -> dict[str, Any]:
    facts = services.facts
    connected = sorted(services.health().robots)
    return {
        "type": "hello",
        "hub_id": facts.hub_id,
        "boot": services.observatory.boot,
        "version": facts.version,
        "robot": of,
        "words": words,
        "recording": facts.recording,
        "bench": facts.bench,
        "now_ns": services.clock_ns(),
        "robots": connected,
        "recent": _recent(services.observatory.recent, of, connected),
    }


def _recent(recent: RecentEvents, of: str, connected: list[str]) -> list[dict[str, Any]]:
    """What happened lately to the robot that is watched closely, or how the last turns of all
    went."""
    if of:
        return [{"robot": of, **event._asdict()} for event in recent.last(of, RECENT_EVENTS)]
    return [
        {"robot": robot, **event._asdict()}
        for robot in connected
        for event in recent.last(robot, 1, "turn.ended")
    ]


class _Observer:
    """Empties a decimator into a socket, as often as it may and the socket takes it."""

    def __init__(self, wire: Wire, observatory: Observatory, decimator: Decimator, of: str) -> None:
        self._wire = wire
        self._observatory = observatory
        self._decimator = decimator
        self._of = of
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._dropped = 0

    def begin(self) -> None:
        """Tell the states as they are at once, and from now on what happens."""
        self._wire.listen(self._ignore, self._on_flow)
        self._observatory.join(self._put)
        if self._of:
            self._observatory.listen(self._of, self._hear)
        if self._timer is not None:
            self._timer.cancel()
        self._tell()

    def end(self) -> int:
        """The connection is gone; how much was dropped in all."""
        self._observatory.leave(self._put)
        if self._of:
            self._observatory.ignore(self._of, self._hear)
        if self._timer is not None:
            self._timer.cancel()
        return self._decimator.take().dropped

    def _put(self, entry: Entry) -> None:
        self._decimator.put(entry)
        self._wait()

    def _hear(self, pcm: bytes) -> None:
        self._decimator.hear(pcm)
        self._wait()

    def _wait(self) -> None:
        """Tell it soon, unless that has been seen to."""
        if self._timer is None and self._decimator and self._wire.flowing:
            self._timer = self._loop.call_later(BATCH_S, self._tell)

    def _tell(self) -> None:
        self._timer = None
        if not self._wire.flowing or not self._decimator:
            return
        batch = self._decimator.take()
        self._wire.write(_text({"type": "batch", **batch._asdict()}))
        if self._decimator:
            self._timer = self._loop.call_later(BATCH_S, self._tell)

    def _on_flow(self, flowing: bool) -> None:
        if flowing and self._timer is None:
            self._timer = self._loop.call_later(BATCH_S, self._tell)

    @staticmethod
    def _ignore(frame: Frame) -> None:
        """An observer has nothing to say."""


def _text(message: dict[str, Any]) -> str:
    return _encode(message).decode()
