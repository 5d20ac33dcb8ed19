"""The hub's end of the ZeroMQ bus.

Six ipc sockets in one private directory: ``media-in`` and ``media-out`` (any peer's PUB and SUB,
for what agents send each other), ``hub-in`` and ``hub-out`` (the same peers' door to the hub and
from it: what the hub sends or takes itself is spared the forwarder), ``control`` (one link per
peer) and ``events`` (the facts the hub has accepted).
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import zmq

from hub.broker.acceptance import Acceptance
from hub.broker.control import ControlEvents, ControlLane
from hub.broker.ledger import Ledger
from hub.broker.media import HIGH_WATER, MediaProxy
from hub.broker.peers import Peer
from hub.broker.sockets import FrameSocket, Reader
from protocols.bus import BatchDone, BusCounters, BusTap, Handler, Snapshot
from protocols.codecs.bus import MAX_BYTES, encode, encode_header
from protocols.codecs.link import PROBE_DOWN, PROBE_UP, TAILS, encode_tails
from protocols.envelope import AnyEnvelope, Message
from protocols.errors import BusError, FrameTooLarge, MalformedFrame
from protocols.link import TOTAL_BYTES, LinkTiming
from protocols.qos import MAX_MEDIA_BYTES, Lane, QueueDepth
from protocols.routes import Outgoing, Routes
from protocols.topics import CATALOG, LINES, topic_name, wire_topic

Authorise = Callable[[str, AnyEnvelope], bool]
_SOCKETS = ("media-in", "media-out", "hub-in", "hub-out", "control", "events")
_DRAIN_S = 0.5
_LINGER_MS = 100


class ZmqHubBus:
    """``HubBus`` over ZeroMQ. Facts that agents publish reach the hub's subscribers first, then
    the observers.

    ``authorise(instance, fact)`` may refuse a fact, which is counted as ``forbidden``.
    """

    def __init__(
        self,
        directory: Path,
        boot: int,
        *,
        clock: Callable[[], int],
        ledger: Ledger | None = None,
        timing: LinkTiming = LinkTiming(),  # noqa: B008 - immutable
        authorise: Authorise | None = None,
        media_high_water: int = HIGH_WATER,
        name: str = "hub",
    ) -> None:
        self._directory = directory
        self._ledger = ledger or Ledger(boot)
        self._timing = timing
        self._authorise = authorise
        self._high_water = media_high_water
        self._name = name
        self._routes = Routes()
        self._acceptance = Acceptance(self._ledger, clock, self._routes.deliver, self._show)
        self._outgoing = Outgoing(name)
        self._ledger.forget_source(name)
        self._batch_done: list[BatchDone] = []
        self._joined: list[Callable[[str, AnyEnvelope], None]] = []
        self._left: list[Callable[[str, str], None]] = []
        self._drained: list[asyncio.Future[None]] = []
        self._tails: dict[str, int] = {}
        self._unshown: list[tuple[bytes, AnyEnvelope]] = []
        self._tick_handle: asyncio.Handle | None = None
        self._subscribed: dict[bytes, None] = {PROBE_UP: None}
        self._is_open = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def boot(self) -> int:
        return self._ledger.boot

    @property
    def counters(self) -> BusCounters:
        return self._routes.counters._replace(duplicates=self._ledger.duplicates)

    @property
    def peers(self) -> tuple[str, ...]:
        return self._control.peers.agents() if self._is_open else ()

    async def open(self) -> None:
        """Bind; agents may register from now on.

        Raises:
            BusError: the sockets cannot be bound in the directory.
        """
        self._loop = asyncio.get_running_loop()
        self._context: zmq.Context[Any] = zmq.Context()
        undo = ExitStack()
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._directory.chmod(0o700)
            for stale in _SOCKETS:
                (self._directory / stale).unlink(missing_ok=True)
            self._bind(undo)
        except (OSError, zmq.ZMQError) as error:
            undo.close()
            await asyncio.to_thread(self._context.term)
            raise BusError(f"cannot open the bus in {self._directory}: {error}") from error
        self._is_open = True
        self._tick()

    def _bind(self, undo: ExitStack) -> None:
        """Open all sockets; ``undo`` closes those that were opened before an error."""
        bounds: dict[int, int | bytes] = {
            zmq.SNDHWM: self._high_water,
            zmq.RCVHWM: self._high_water,
            zmq.LINGER: 0,
            zmq.MAXMSGSIZE: 2 * MAX_MEDIA_BYTES,
        }
        self._events = FrameSocket(self._context, zmq.PUB, bounds)
        undo.callback(self._events.close)
        self._events.bind(f"ipc://{self._directory / 'events'}")
        self._proxy = MediaProxy(self._context, self._directory, self._high_water)
        self._pub = FrameSocket(self._context, zmq.PUB, bounds)
        undo.callback(self._pub.close)
        self._pub.bind(f"ipc://{self._directory / 'hub-out'}")
        self._sub = FrameSocket(self._context, zmq.SUB, bounds)
        undo.callback(self._sub.close)
        self._sub.bind(f"ipc://{self._directory / 'hub-in'}")
        for prefix in self._subscribed:
            self._sub.set(zmq.SUBSCRIBE, prefix)
        self._media = Reader(self._loop, self._sub, self._on_media, self._on_media_drained)
        undo.callback(self._media.close)
        self._control = ControlLane(
            self._context,
            self._directory / "control",
            self._loop,
            self._ledger,
            self._timing,
            ControlEvents(
                fact=self._on_fact,
                registered=self._hurry,
                joined=self._on_joined,
                left=self._on_left,
                refused=self._routes.refuse,
                acknowledged=self._settle,
            ),
        )

    def publish(self, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        """Send media to whoever subscribed, or record and publish a fact of the hub's own.

        Raises:
            FrameTooLarge: it exceeds the limit of its lane.
            BusError: it is a command; those are sent to one instance.
        """
        line = LINES[type(envelope.body)]
        if line.command:
            raise BusError(f"{topic_name(line.message)} is a command: send it to an instance")
        self._outgoing.stamp(envelope)
        envelope.cause = envelope.cause or self._acceptance.acting_on
        topic, header, _ = encode(envelope)
        if len(header) + len(blob) > MAX_BYTES[line.lane]:
            raise FrameTooLarge(f"{topic.decode()}: {len(header) + len(blob)} bytes")
        if line.lane is Lane.MEDIA:
            self._pub.send3(topic, header, blob)
        else:
            self._acceptance.publish(topic, envelope, len(header))

    def send(self, peer: str, envelope: AnyEnvelope) -> None:
        """Send a command to one instance.

        Raises:
            UnknownPeer: no such instance is linked.
            FrameTooLarge: it exceeds the limit of the control lane.
        """
        self._outgoing.stamp(envelope)
        envelope.cause = envelope.cause or self._acceptance.acting_on
        self._control.command(peer, envelope)
        if self._acceptance.tap is not None:
            self._acceptance.tap.command(peer, envelope)

    def tap(self, tap: BusTap) -> None:
        self._acceptance.tap = tap

    def depths(self) -> Iterable[QueueDepth]:
        if self._is_open:
            for peer in self._control.peers.all():
                waiting = peer.outbox.waiting_bytes
                yield QueueDepth("bus.commands_bytes", peer.name, waiting, TOTAL_BYTES)

    def subscribe(self, message: type[Message], handler: Handler, robot: str | None = None) -> None:
        first = self._routes.add(message, handler, robot)
        if first and CATALOG[topic_name(message)].lane is Lane.MEDIA:
            self._subscription(zmq.SUBSCRIBE, message, robot)

    def unsubscribe(
        self, message: type[Message], handler: Handler, robot: str | None = None
    ) -> None:
        last = self._routes.remove(message, handler, robot)
        if last and CATALOG[topic_name(message)].lane is Lane.MEDIA:
            self._subscription(zmq.UNSUBSCRIBE, message, robot)

    def on_media_drained(self, done: BatchDone) -> None:
        self._batch_done.append(done)

    def on_peers(
        self, joined: Callable[[str, AnyEnvelope], None], left: Callable[[str, str], None]
    ) -> None:
        self._joined.append(joined)
        self._left.append(left)

    async def snapshot(self, robot: str) -> Snapshot:
        return self._ledger.snapshot(robot)

    async def replay(self, robot: str, boot: int, after: int) -> tuple[AnyEnvelope, ...] | None:
        return self._ledger.replay(robot, boot, after)

    async def drain(self) -> None:
        """Return once every command is acknowledged or its peer given up."""
        if not self._control.is_settled():
            settled = self._loop.create_future()
            self._drained.append(settled)
            await settled

    async def close(self) -> None:
        if not self._is_open:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                await self.drain()
        self._is_open = False
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        self._show_all()
        self._control.close("the hub is closing", _LINGER_MS)
        self._media.close()
        self._pub.close()
        self._events.close(_LINGER_MS)
        await asyncio.to_thread(self._context.term)
        self._proxy.join()

    async def __aenter__(self) -> "ZmqHubBus":
        await self.open()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        await self.close()

    def _subscription(self, option: int, message: type[Message], robot: str | None) -> None:
        prefix = f"{topic_name(message)}/".encode() if robot is None else wire_topic(message, robot)
        if option == zmq.SUBSCRIBE:
            self._subscribed[prefix] = None
        else:
            self._subscribed.pop(prefix, None)
        if self._is_open:
            self._sub.set(option, prefix)
            self._media.poke()

    def _on_media(self, frames: list[bytes]) -> None:
        if len(frames) == 3:
            if not frames[0].startswith(PROBE_UP):
                self._routes.deliver_media(*frames)
            else:
                self._control.confirm_up(frames[0][len(PROBE_UP) : -1])
        else:
            self._routes.refuse(MalformedFrame(f"{len(frames)} frames"))

    def _on_media_drained(self) -> None:
        for done in self._batch_done:
            done()

    def _on_fact(self, peer: Peer, envelope: AnyEnvelope, topic: bytes, size: int) -> None:
        if self._authorise is not None and not self._authorise(peer.name, envelope):
            self._routes.refused["forbidden"] += 1
            return
        self._acceptance.take(topic, envelope, size)

    def _show(self, topic: bytes, envelope: AnyEnvelope) -> None:
        """Observers see a fact in the loop's next step: what it makes the hub do goes first."""
        if not self._unshown:
            self._loop.call_soon(self._show_all)
        self._unshown.append((topic, envelope))

    def _show_all(self) -> None:
        unshown, self._unshown = self._unshown, []
        for topic, envelope in unshown:
            self._events.send3(topic, encode_header(envelope), b"")
            if envelope.order:
                self._tails[envelope.robot] = envelope.order

    def _on_joined(self, peer: Peer) -> None:
        # Whoever observes again after a pause learns what it missed from the next tails.
        self._tails.update(self._ledger.orders)
        if (hello := peer.hello) is None:
            return
        for joined in self._joined:
            joined(peer.name, hello)
        self._on_fact(peer, hello, wire_topic(type(hello.body), hello.robot), 0)

    def _on_left(self, peer: Peer, reason: str) -> None:
        for left in self._left:
            left(peer.name, reason)
        self._settle()

    def _settle(self) -> None:
        if self._drained and self._control.is_settled():
            for waiting in self._drained:
                if not waiting.done():
                    waiting.set_result(None)
            self._drained.clear()

    def _hurry(self) -> None:
        """A new link waits to be probed."""
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        self._tick_handle = self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        self._control.tick(now)
        if self._tails:
            self._events.send3(TAILS, encode_tails(self.boot, self._tails), b"")
            self._tails = {}
        unprobed = self._control.unprobed()
        for peer in unprobed:
            probe = PROBE_DOWN + peer.link + b"/"
            self._pub.send3(probe, b"", b"")
            self._events.send3(probe, b"", b"")
        delay = self._timing.probe_s if unprobed else self._timing.beat_s / 2
        self._tick_handle = self._loop.call_later(delay, self._tick)
