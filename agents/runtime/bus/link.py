"""A peer's end of its control link: registers, keeps what is not acknowledged, notices silence."""

import asyncio
import random
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import zmq

from agents.runtime.bus.sockets import FrameSocket, Reader
from protocols.codecs.bus import decode
from protocols.codecs.link import (
    Ack,
    Answer,
    Ask,
    Beat,
    Bye,
    Command,
    Fact,
    Joined,
    LinkFrame,
    Register,
    Registered,
    Rejected,
    Seen,
    decode_link,
    encode_link,
)
from protocols.envelope import AnyEnvelope
from protocols.errors import HubError, MalformedFrame, PeerOverrun
from protocols.link import BATCH_BYTES, Arrivals, LinkTiming, Outbox
from protocols.qos import MAX_CONTROL_BYTES

_NONCE_BITS = 64
ACK_DELAY_S = 0.05
"""An acknowledgement waits this long for others to join it: each one wakes a process."""

Answered = Callable[[Answer | None, tuple[AnyEnvelope, ...]], None]


class State(Enum):
    """How far a link is."""

    DOWN = "down"
    REGISTERING = "registering"
    PROBING = "probing"
    UP = "up"


class LinkEvents(NamedTuple):
    """What a link reports, all of it on the loop and in order."""

    probing: Callable[[bytes], None]
    """The hub knows the link with this routing id; its probes may be sent and awaited."""
    up: Callable[[], None]
    down: Callable[[str, bool], None]
    """The link is lost, and whether it had been up."""
    command: Callable[[AnyEnvelope], None]
    refused: Callable[[HubError], None]
    lost: Callable[[int], None]
    """So many facts were given up: the hub they were meant for is no more."""


class ControlLink:
    """One DEALER per attempt to register, each with a routing id of its own, so that nothing of
    an earlier link can arrive on a later one."""

    def __init__(
        self,
        context: zmq.Context[Any],
        path: Path,
        name: str,
        hello: tuple[bytes, bytes] | None,
        loop: asyncio.AbstractEventLoop,
        timing: LinkTiming,
        events: LinkEvents,
        rng: random.Random,
    ) -> None:
        self.state = State.DOWN
        self.routing_id = b""
        self._context = context
        self._path = path
        self._name = name
        self._hello = hello
        self._loop = loop
        self._timing = timing
        self._events = events
        self._rng = rng
        self._incarnation = rng.getrandbits(_NONCE_BITS - 1)
        self._boot = 0
        self._outbox = Outbox()
        self._arrivals = Arrivals()
        self._reader: Reader | None = None
        self._socket: FrameSocket | None = None
        self._heard_at = self._sent_at = self._retry_at = 0.0
        self._ticked_at = loop.time()
        self._attempts = 0
        self._flushing = self._acking = False
        self._asks: dict[int, Answered] = {}
        self._next_ask = 1
        self._settled: list[asyncio.Future[None]] = []

    def publish(self, robot: str, topic: bytes, header: bytes) -> None:
        """Queue a fact until the hub acknowledges it.

        Raises:
            PeerOverrun: the queue is at its bound. A link that is up is given up.
        """
        try:
            self._outbox.push(robot, (topic, header), self._loop.time())
        except PeerOverrun as overrun:
            if self.state is not State.DOWN:
                self._loop.call_soon(self._overrun, self.routing_id, f"overrun: {overrun}")
            raise
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush_now)

    def room(self, robot: str, size: int, robot_bytes: int) -> bool:
        """Whether the link is up and has room for something that may be dropped."""
        return self.state is State.UP and self._outbox.room(robot, size, robot_bytes)

    def ask(self, robot: str, boot: int, after: int, answered: Answered) -> None:
        """Request the facts after ``(boot, after)``, or a snapshot if ``after`` is -1.

        ``answered`` is called once, with None if the link is down or lost before the answer.
        """
        number, self._next_ask = self._next_ask, self._next_ask + 1
        if self.state is State.UP and self._send(Ask(number, robot, boot, after)):
            self._asks[number] = answered
        else:
            self._loop.call_soon(answered, None, ())

    async def drain(self) -> None:
        """Return once the hub has acknowledged everything."""
        if self._outbox:
            settled = self._loop.create_future()
            self._settled.append(settled)
            await settled

    def probe_seen(self) -> None:
        """The hub's probes have come through on every lane."""
        self._send(Seen())

    def tick(self, now: float) -> None:
        """Beat, send again, give up or try again, as time demands.

        To be called at least twice per beat: in a longer pause of this loop nothing was read, so
        the hub is not to blame for it.
        """
        paused = now - self._ticked_at - self._timing.beat_s
        self._ticked_at = now
        if paused > 0:
            self._heard_at += paused
            self._outbox.forgive(paused)
        if self.state is State.DOWN:
            if now >= self._retry_at:
                self._attempt(now)
            return
        if now - self._heard_at > self._timing.silence_s:
            self._lose(f"the hub was silent for {round((now - self._heard_at) * 1000)} ms")
            return
        if self.state is State.REGISTERING:
            return
        if self._outbox.stalled_s(now) >= self._timing.resend_s:
            self._outbox.rewind()
        self._flush()
        if now - self._sent_at >= self._timing.beat_s * 0.9:
            self._send(Beat())

    def close(self, linger_ms: int) -> None:
        """Say good-bye and disconnect."""
        if self.state is not State.DOWN:
            self._send(Bye())
        self._hang_up(linger_ms)
        self._fail_asks()
        self._settle(force=True)

    def _attempt(self, now: float) -> None:
        self._hang_up(0)
        self._attempts += 1
        nonce = self._rng.getrandbits(_NONCE_BITS)
        self.routing_id = f"{self._name}.{nonce:016x}".encode()
        socket = FrameSocket(
            self._context, zmq.DEALER, {**_DEALER_OPTIONS, zmq.ROUTING_ID: self.routing_id}
        )
        socket.connect(f"ipc://{self._path}")
        self._socket = socket
        self._reader = Reader(self._loop, socket, self._on_message, self._on_drained)
        self._arrivals = Arrivals()
        self._heard_at = now
        self.state = State.REGISTERING
        hello = self._hello
        frame = Register(self._name, self._incarnation, observer=hello is None)
        self._send(frame, *(hello or ()))

    def _on_message(self, frames: list[bytes]) -> None:
        try:
            frame = decode_link(frames[0])
            self._heard_at = self._loop.time()
            self._handle(frame, frames[1:])
        except HubError as error:
            self._events.refused(error)

    def _handle(self, frame: LinkFrame, rest: list[bytes]) -> None:
        match frame:
            case Command(seq):
                self._take_commands(seq, rest)
            case Ack(seq):
                self._outbox.acknowledge(seq, self._loop.time())
                self._settle()
            case Registered(boot):
                self._on_registered(boot)
            case Joined():
                self._on_joined()
            case Answer():
                envelopes = _decode_all(rest)
                if answered := self._asks.pop(frame.id, None):
                    answered(frame, envelopes)
            case Rejected(reason):
                self._lose(reason)
            case Beat() | Seen():
                pass
            case _:
                raise MalformedFrame(f"{type(frame).__name__} from the hub")

    def _take_commands(self, first: int, rest: list[bytes]) -> None:
        """The commands numbered from ``first`` on; a broken one does no harm to the next."""
        for at in range(0, len(rest), 2):
            if not self._arrivals.take(first + at // 2):
                continue
            try:
                (envelope,) = _decode_all(rest[at : at + 2])
            except HubError as error:
                self._events.refused(error)
            else:
                self._events.command(envelope)
        if sum(map(len, rest)) > BATCH_BYTES:
            # A part of a blob: the hub sends the next ones as soon as this one leaves them room.
            self._acknowledge()

    def _on_registered(self, boot: int) -> None:
        if self._boot not in (0, boot):
            self._events.lost(self._outbox.clear())
            self._settle()
        self._boot = boot
        self.state = State.PROBING
        self._events.probing(self.routing_id)

    def _on_joined(self) -> None:
        self.state = State.UP
        self._attempts = 0
        self._outbox.restart(self._loop.time())
        self._flush()
        self._events.up()

    def _overrun(self, routing_id: bytes, reason: str) -> None:
        """The queue was at its bound on this link: what is in it is lost with the link."""
        if self.routing_id == routing_id and self.state is not State.DOWN:
            self._send(Bye())
            self._events.lost(self._outbox.clear())
            self._settle()
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        was_up = self.state is State.UP
        self._hang_up(0)
        mean = min(self._timing.retry_max_s, self._timing.retry_s * 2.0 ** min(self._attempts, 8))
        self._retry_at = self._loop.time() + mean * self._rng.uniform(0.5, 1.5)
        self._fail_asks()
        self._events.down(reason, was_up)

    def _hang_up(self, linger_ms: int) -> None:
        self.state = State.DOWN
        if self._reader is not None:
            self._reader.close(linger_ms)
            self._reader = None
        self._socket = None

    def _flush_now(self) -> None:
        self._flushing = False
        self._flush()

    def _flush(self) -> None:
        while self.state is State.UP and (batch := self._outbox.unsent_batch()):
            seq, count, frames = batch
            if not self._send(Fact(seq), *frames):
                return
            self._outbox.mark_sent(count)

    def _send(self, frame: LinkFrame, *rest: bytes) -> bool:
        if self._socket is None or self._reader is None:
            return False
        self._reader.poke()
        sent = self._socket.send((encode_link(frame), *rest))
        if sent:
            self._sent_at = self._loop.time()
        return sent

    def _on_drained(self) -> None:
        if self._arrivals.owed and not self._acking:
            self._acking = True
            self._loop.call_later(ACK_DELAY_S, self._acknowledge)

    def _acknowledge(self) -> None:
        self._acking = False
        if self._arrivals.owed:
            self._arrivals.owed = not self._send(Ack(self._arrivals.last))

    def _fail_asks(self) -> None:
        asks, self._asks = self._asks, {}
        for answered in asks.values():
            answered(None, ())

    def _settle(self, force: bool = False) -> None:
        if force or not self._outbox:
            for settled in self._settled:
                if not settled.done():
                    settled.set_result(None)
            self._settled.clear()


def _decode_all(frames: list[bytes]) -> tuple[AnyEnvelope, ...]:
    """The bus messages in pairs of topic and header."""
    if len(frames) % 2:
        raise MalformedFrame(f"{len(frames)} frames are no pairs of topic and header")
    return tuple(decode(frames[i], frames[i + 1])[1] for i in range(0, len(frames), 2))


_DEALER_OPTIONS: dict[int, int | bytes] = {
    zmq.SNDHWM: 4096,
    zmq.RCVHWM: 4096,
    zmq.LINGER: 0,
    zmq.MAXMSGSIZE: 2 * MAX_CONTROL_BYTES,
    zmq.RECONNECT_IVL: 20,
    zmq.RECONNECT_IVL_MAX: 500,
    zmq.HEARTBEAT_IVL: 500,
    zmq.HEARTBEAT_TIMEOUT: 1500,
}
