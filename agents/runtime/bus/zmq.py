"""An agent's or observer's end of the ZeroMQ bus.

One PUB and one SUB on the media lane, one DEALER to the hub, and, once a fact is subscribed to,
one SUB on the hub's published facts.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import zmq

from agents.runtime.bus.facts import Facts
from agents.runtime.bus.link import ControlLink, LinkEvents, State
from agents.runtime.bus.sockets import FrameSocket, Reader
from protocols.bus import BatchDone, BusCounters, Handler, Snapshot
from protocols.codecs.bus import MAX_BYTES, encode
from protocols.codecs.link import PROBE_DOWN, PROBE_UP, Answer
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.errors import BusError, FrameTooLarge, MalformedFrame
from protocols.link import LinkTiming, share_of
from protocols.messages.agent import AgentHello
from protocols.qos import MAX_MEDIA_BYTES, QOS, Lane, Overflow
from protocols.routes import Outgoing, Routes
from protocols.topics import CATALOG, LINES, Topic, topic_name, wire_topic

HIGH_WATER = 8192
_PROBES = (PROBE_DOWN, PROBE_UP)
_FACTS = b"facts"
_DRAIN_S = 0.2
_LINGER_MS = 100


class ZmqAgentBus:
    """``AgentBus`` over ZeroMQ. With a ``hello`` it is an agent, without one an observer, which
    takes no commands and whose facts the hub refuses.

    The link is kept by the bus itself: when the hub falls silent ``down`` is called, and the bus
    registers again, for as long as it is open. Facts that were not acknowledged are sent again to
    the same run of the hub; another one knows nothing of what they speak of, so they are dropped
    and counted.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        hello: AgentHello | None,
        *,
        timing: LinkTiming = LinkTiming(),  # noqa: B008 - immutable
        media_high_water: int = HIGH_WATER,
        rng: random.Random | None = None,
    ) -> None:
        self._directory = directory
        self._name = name
        self._timing = timing
        self._high_water = media_high_water
        self._rng = rng or random.Random()
        self._routes = Routes()
        self._outgoing = Outgoing(name)
        self._hello = self._encode_hello(hello)
        self._batch_done: list[BatchDone] = []
        self._served: list[Handler] = []
        self._ups: list[Callable[[], None]] = []
        self._downs: list[Callable[[str], None]] = []
        self._subscribed: dict[bytes, None] = {}
        self._probes: tuple[bytes, ...] = ()
        self._awaited: set[bytes] = set()
        self._facts: Facts | None = None
        self._tick_handle: asyncio.Handle | None = None
        self._opened: asyncio.Future[None] | None = None
        self._is_open = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def counters(self) -> BusCounters:
        return self._routes.counters

    async def open(self) -> None:
        """Connect and register; return once every lane is known to be open both ways.

        Waits for a hub for as long as there is none.

        Raises:
            BusError: the directory's path is too long for sockets in it.
        """
        longest = len(bytes(self._directory / "media-out"))
        if longest > zmq.IPC_PATH_MAX_LEN:
            raise BusError(
                f"{self._directory} is {longest - zmq.IPC_PATH_MAX_LEN} bytes too long a path for "
                "sockets in it"
            )
        self._loop = asyncio.get_running_loop()
        self._context: zmq.Context[Any] = zmq.Context()
        bounds: dict[int, int | bytes] = {
            zmq.SNDHWM: self._high_water,
            zmq.RCVHWM: self._high_water,
            zmq.LINGER: 0,
            zmq.MAXMSGSIZE: 2 * MAX_MEDIA_BYTES,
            zmq.RECONNECT_IVL: 20,
            zmq.RECONNECT_IVL_MAX: 500,
        }
        self._pub = FrameSocket(self._context, zmq.PUB, bounds)
        self._pub.connect(f"ipc://{self._directory / 'media-in'}")
        self._pub.connect(f"ipc://{self._directory / 'hub-in'}")
        self._sub = FrameSocket(self._context, zmq.SUB, bounds)
        self._sub.connect(f"ipc://{self._directory / 'media-out'}")
        self._sub.connect(f"ipc://{self._directory / 'hub-out'}")
        for prefix in self._subscribed:
            self._sub.set(zmq.SUBSCRIBE, prefix)
        self._media = Reader(self._loop, self._sub, self._on_media, self._on_media_drained)
        self._link = ControlLink(
            self._context,
            self._directory / "control",
            self._name,
            self._hello,
            self._loop,
            self._timing,
            LinkEvents(
                probing=self._on_probing,
                up=self._on_up,
                down=self._on_down,
                command=self._on_command,
                refused=self._routes.refuse,
                lost=self._on_lost,
            ),
            self._rng,
        )
        self._is_open = True
        if self._facts is not None:
            self._open_facts(self._facts)
        self._opened = self._loop.create_future()
        self._tick()
        await self._opened

    def publish(self, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        """Send media to whoever subscribed, or a fact to the hub.

        Raises:
            PeerOverrun: too many facts wait for the hub; the link is given up.
            FrameTooLarge: it exceeds the limit of its lane.
            BusError: it is a command, which only the hub may send.
        """
        line = LINES[type(envelope.body)]
        if line.command:
            raise BusError(f"{topic_name(line.message)} is a command: only the hub sends it")
        self._outgoing.stamp(envelope)
        topic, header, _ = encode(envelope)
        if len(header) + len(blob) > MAX_BYTES[line.lane]:
            raise FrameTooLarge(f"{topic.decode()}: {len(header) + len(blob)} bytes")
        if line.lane is Lane.MEDIA:
            self._pub.send3(topic, header, blob)
        else:
            self._publish_fact(line, share_of(envelope).owner, topic, header)

    def subscribe(self, message: type[Message], handler: Handler, robot: str | None = None) -> None:
        """As ``Bus.subscribe``. One made while the link is up takes effect within milliseconds;
        all that stand when it comes up hold before ``open`` returns or ``up`` is called."""
        first = self._routes.add(message, handler, robot)
        if CATALOG[topic_name(message)].lane is Lane.CONTROL:
            self._want_facts()
        elif first:
            self._subscription(zmq.SUBSCRIBE, _prefix(message, robot))

    def unsubscribe(
        self, message: type[Message], handler: Handler, robot: str | None = None
    ) -> None:
        last = self._routes.remove(message, handler, robot)
        if last and CATALOG[topic_name(message)].lane is Lane.MEDIA:
            self._subscription(zmq.UNSUBSCRIBE, _prefix(message, robot))

    def on_media_drained(self, done: BatchDone) -> None:
        self._batch_done.append(done)

    def serve(self, handler: Handler) -> None:
        self._served.append(handler)

    def on_link(self, up: Callable[[], None], down: Callable[[str], None]) -> None:
        self._ups.append(up)
        self._downs.append(down)

    async def snapshot(self, robot: str) -> Snapshot:
        """As ``Bus.snapshot``.

        Raises:
            BusError: the link is down, or lost before the answer.
        """
        answer, values = await self._ask(robot, 0, -1)
        return Snapshot(answer.boot, answer.order, values)

    async def replay(self, robot: str, boot: int, after: int) -> tuple[AnyEnvelope, ...] | None:
        """As ``Bus.replay``; errors as in ``snapshot``."""
        answer, facts = await self._ask(robot, boot, max(after, 0))
        return facts if answer.held else None

    async def _ask(
        self, robot: str, boot: int, after: int
    ) -> tuple[Answer, tuple[AnyEnvelope, ...]]:
        waiting: asyncio.Future[tuple[Answer, tuple[AnyEnvelope, ...]]]
        waiting = self._loop.create_future()

        def answered(answer: Answer | None, envelopes: tuple[AnyEnvelope, ...]) -> None:
            if waiting.done():
                return
            if answer is None:
                waiting.set_exception(BusError("the link to the hub is down"))
            else:
                waiting.set_result((answer, envelopes))

        self._link.ask(robot, boot, after, answered)
        return await waiting

    async def drain(self) -> None:
        await self._link.drain()

    async def close(self) -> None:
        if not self._is_open:
            return
        if self._link.state is State.UP:
            with suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_S):
                    await self._link.drain()
        self._is_open = False
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        self._link.close(_LINGER_MS)
        self._media.close(0)
        self._pub.close(_LINGER_MS)
        if self._facts is not None:
            self._facts.close()
        await asyncio.to_thread(self._context.term)

    async def __aenter__(self) -> "ZmqAgentBus":
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *exc: Any) -> None:
        await self.close()

    def _encode_hello(self, hello: AgentHello | None) -> tuple[bytes, bytes] | None:
        """The first message of this peer. It keeps its id through every registration."""
        if hello is None:
            return None
        envelope: AnyEnvelope = Envelope(body=hello)
        self._outgoing.stamp(envelope)
        topic, header, _ = encode(envelope)
        return topic, header

    def _publish_fact(self, line: Topic, robot: str, topic: bytes, header: bytes) -> None:
        qos = QOS[line.qos]
        size = len(topic) + len(header)
        if qos.overflow is Overflow.DROP_NEWEST and not self._link.room(
            robot, size, qos.bound_bytes
        ):
            self._routes.dropped[topic_name(line.message)] += 1
            return
        self._link.publish(robot, topic, header)

    def _want_facts(self) -> None:
        if self._facts is None:
            self._facts = Facts(self._routes, self._on_fact_probe)
            if self._is_open:
                self._open_facts(self._facts)

    def _open_facts(self, facts: Facts) -> None:
        facts.open(
            self._context, self._directory / "events", self._loop, self._link, self._high_water
        )

    def _subscription(self, option: int, prefix: bytes) -> None:
        if option == zmq.SUBSCRIBE:
            self._subscribed[prefix] = None
        else:
            self._subscribed.pop(prefix, None)
        if self._is_open:
            self._sub.set(option, prefix)
            self._media.poke()

    def _on_media(self, frames: list[bytes]) -> None:
        if len(frames) == 3:
            if not frames[0].startswith(_PROBES):
                self._routes.deliver_media(*frames)
            else:
                self._on_probe(frames[0])
        else:
            self._routes.refuse(MalformedFrame(f"{len(frames)} frames"))

    def _on_media_drained(self) -> None:
        for done in self._batch_done:
            done()

    def _on_probing(self, routing_id: bytes) -> None:
        # The peer's own probe comes back to it by way of the other agents' forwarder.
        self._set_probes(tuple(prefix + routing_id + b"/" for prefix in _PROBES))
        self._awaited = {*self._probes}
        if self._facts is not None:
            self._awaited.add(_FACTS)
        self._hurry()

    def _set_probes(self, topics: tuple[bytes, ...]) -> None:
        for topic in self._probes:
            self._sub.set(zmq.UNSUBSCRIBE, topic)
        self._probes = topics
        for topic in topics:
            self._sub.set(zmq.SUBSCRIBE, topic)
        self._media.poke()

    def _on_fact_probe(self, topic: bytes) -> None:
        if topic in self._probes:
            self._seen(_FACTS)

    def _on_probe(self, topic: bytes) -> None:
        if topic in self._probes:
            self._seen(topic)

    def _seen(self, awaited: bytes) -> None:
        if awaited in self._awaited:
            self._awaited.discard(awaited)
            if not self._awaited:
                self._link.probe_seen()

    def _on_up(self) -> None:
        self._set_probes(())
        if self._opened is not None and not self._opened.done():
            self._opened.set_result(None)
        for up in self._ups:
            up()

    def _on_down(self, reason: str, was_up: bool) -> None:
        self._set_probes(())
        if was_up:
            for down in self._downs:
                down(reason)

    def _on_command(self, envelope: AnyEnvelope) -> None:
        for handler in self._served:
            handler(envelope, b"")

    def _on_lost(self, count: int) -> None:
        if count:
            self._routes.dropped["control"] += count

    def _hurry(self) -> None:
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        self._tick_handle = self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        self._link.tick(self._loop.time())
        delay = self._timing.beat_s / 2
        if self._link.state is State.PROBING:
            self._pub.send3(PROBE_UP + self._link.routing_id + b"/", b"", b"")
            delay = self._timing.probe_s
        elif self._link.state is State.DOWN:
            delay = min(delay, self._timing.retry_s)
        self._tick_handle = self._loop.call_later(delay, self._tick)


def _prefix(message: type[Message], robot: str | None) -> bytes:
    return f"{topic_name(message)}/".encode() if robot is None else wire_topic(message, robot)
