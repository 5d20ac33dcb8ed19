"""What the hub's and an agent's end of the inproc bus have in common."""

import asyncio
from collections import Counter
from collections.abc import Callable

from hub.broker.pipe import Frames, Pipe
from protocols.bus import BatchDone, BusCounters, Handler
from protocols.codecs.bus import MAX_BYTES, decode, encode
from protocols.envelope import AnyEnvelope, Message
from protocols.errors import FrameTooLarge, ProtocolError
from protocols.link import Outbox, share_of
from protocols.routes import Outgoing, Routes
from protocols.topics import CATALOG, Topic, topic_name

Delay = Callable[[AnyEnvelope], float | None]
"""Seconds that a message is on its way; None loses it, on the media lane only."""

MEDIA_HIGH_WATER = 8192
"""Media frames a peer may lag behind; beyond it the newest are lost."""


def no_delay(envelope: AnyEnvelope) -> float | None:
    """Everything arrives in the loop's next round."""
    return 0.0


class End:
    """Numbers what it sends, takes media it wants, and counts what goes wrong."""

    def __init__(self, name: str, delay: Delay) -> None:
        self._delay = delay
        self._name = name
        self._outgoing = Outgoing(name)
        self._routes = Routes()
        self._wanted: Counter[tuple[type[Message], str | None]] = Counter()
        self._batch_done: list[BatchDone] = []
        self._media = Pipe(self._media_in, self._media_drained)
        self.is_open = False

    @property
    def name(self) -> str:
        return self._name

    @property
    def counters(self) -> BusCounters:
        return self._routes.counters

    def subscribe(self, message: type[Message], handler: Handler, robot: str | None = None) -> None:
        self._routes.add(message, handler, robot)
        self._wanted[message, robot] += 1

    def unsubscribe(
        self, message: type[Message], handler: Handler, robot: str | None = None
    ) -> None:
        self._routes.remove(message, handler, robot)
        self._wanted[message, robot] -= 1

    def on_media_drained(self, done: BatchDone) -> None:
        self._batch_done.append(done)

    def wants(self, envelope: AnyEnvelope) -> bool:
        """Whether anything here is subscribed to this message."""
        message = type(envelope.body)
        return bool(self._wanted[message, None] or self._wanted[message, envelope.robot])

    def offer_media(self, envelope: AnyEnvelope, frames: Frames) -> None:
        """Take a media frame that somebody sent, unless nobody here wants it."""
        if not self.wants(envelope):
            return
        delay = self._delay(envelope)
        if delay is not None and len(self._media) < MEDIA_HIGH_WATER:
            self._media.push(frames, delay)

    def _stamped(self, envelope: AnyEnvelope, blob: bytes) -> tuple[Topic, Frames]:
        line = CATALOG[topic_name(type(envelope.body))]
        self._outgoing.stamp(envelope)
        frames = encode(envelope, blob)
        size = len(frames[1]) + len(blob)
        if size > MAX_BYTES[line.lane]:
            raise FrameTooLarge(f"{frames[0].decode()} has {size} bytes")
        return line, frames

    def _decoded(self, frames: Frames) -> AnyEnvelope | None:
        try:
            return decode(frames[0], frames[1], len(frames[2]))[1]
        except ProtocolError as error:
            self._routes.refuse(error)
            return None

    def _media_in(self, frames: Frames) -> None:
        self._routes.deliver_media(*frames)

    def _media_drained(self) -> None:
        for done in self._batch_done:
            done()


class ControlPipe:
    """Control frames of one direction: bounded, kept until they are delivered."""

    def __init__(self, deliver: Callable[[Frames], None], delay: Delay) -> None:
        self._delay = delay
        self._deliver = deliver
        self._outbox = Outbox()
        self._pipe = Pipe(self._arrived, lambda: None)
        self._settled = asyncio.Event()
        self._settled.set()
        self._seq = 0
        self.up = False

    def push(self, frames: Frames, envelope: AnyEnvelope) -> None:
        """Send frames now, or once the link is up.

        Raises:
            PeerOverrun: more would wait than the other side may owe.
        """
        share = share_of(envelope)
        now = asyncio.get_running_loop().time()
        self._outbox.push(share.owner, frames, now, share.bound_bytes)
        self._settled.clear()
        if self.up:
            self._send(self._delay(envelope) or 0.0)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that were not delivered yet."""
        return self._outbox.waiting_bytes

    def restart(self) -> None:
        """A new link: send again what was not delivered."""
        self.up = True
        self._seq = 0
        self._outbox.restart(asyncio.get_running_loop().time())
        self._send(0.0)

    def stop(self) -> None:
        """The link is gone, with what was in transit."""
        self.up = False
        self._pipe.clear()
        self._outbox.rewind()

    def forget(self) -> int:
        """Nobody waits for what is queued; return how much that was."""
        self._settled.set()
        return self._outbox.clear()

    async def drain(self) -> None:
        """Return once everything is delivered."""
        await self._settled.wait()

    def _send(self, delay_s: float) -> None:
        while (unsent := self._outbox.unsent()) is not None:
            self._outbox.mark_sent()
            topic, header, blob = unsent[1]
            self._pipe.push((topic, header, blob), delay_s)

    def _arrived(self, frames: Frames) -> None:
        self._seq += 1
        self._outbox.acknowledge(self._seq, asyncio.get_running_loop().time())
        self._deliver(frames)
        if not len(self._outbox):
            self._settled.set()
