"""The hub's end of the control links: a ROUTER, and per peer a reliable stream each way."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import zmq

from hub.broker.ledger import Ledger
from hub.broker.peers import Peer, Peers
from hub.broker.sockets import FrameSocket, Reader
from protocols.codecs.bus import decode, encode
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
from protocols.errors import FrameTooLarge, HubError, MalformedFrame, PeerOverrun, UnknownPeer
from protocols.link import LinkTiming, share_of
from protocols.messages.agent import AgentHello
from protocols.qos import MAX_CONTROL_BYTES

_HIGH_WATER = 4096
ACK_DELAY_S = 0.05
"""An acknowledgement waits this long for others to join it: each one wakes a process."""


class ControlEvents(NamedTuple):
    """What the control lane reports, all of it on the loop and in order."""

    fact: Callable[[Peer, AnyEnvelope, bytes, int], None]
    """A fact of a peer, its topic frame and size; in sequence, possibly sent before by an earlier
    link."""
    registered: Callable[[], None]
    """A peer waits for probes."""
    joined: Callable[[Peer], None]
    left: Callable[[Peer, str], None]
    refused: Callable[[HubError], None]
    acknowledged: Callable[[], None]
    """Some peer acknowledged commands."""


class ControlLane:
    """Registers peers, moves facts up and commands down, gives up whoever does not keep up."""

    def __init__(
        self,
        context: zmq.Context[Any],
        path: Path,
        loop: asyncio.AbstractEventLoop,
        ledger: Ledger,
        timing: LinkTiming,
        events: ControlEvents,
    ) -> None:
        self.peers = Peers()
        self._loop = loop
        self._ledger = ledger
        self._timing = timing
        self._events = events
        self._owing: dict[bytes, Peer] = {}
        self._unflushed: dict[bytes, Peer] = {}
        self._acking = False
        self._ticked_at = loop.time()
        self._socket = FrameSocket(context, zmq.ROUTER, _ROUTER_OPTIONS)
        try:
            self._socket.bind(f"ipc://{path}")
        except zmq.ZMQError:
            self._socket.close()
            raise
        self._reader = Reader(loop, self._socket, self._on_message, self._on_drained)

    def command(self, name: str, envelope: AnyEnvelope) -> None:
        """Queue a command for an agent that has joined.

        Raises:
            UnknownPeer: no such agent is linked.
            FrameTooLarge: it exceeds the limit of the control lane.
        """
        peer = self.peers.named(name)
        if peer is None or not peer.joined or peer.hello is None:
            raise UnknownPeer(f"no agent {name!r} is linked")
        topic, header, _ = encode(envelope)
        if len(header) > MAX_CONTROL_BYTES:
            raise FrameTooLarge(
                f"{topic.decode()}: {len(header)} bytes, {MAX_CONTROL_BYTES} allowed"
            )
        try:
            share = share_of(envelope)
            now = self._loop.time()
            peer.outbox.push(share.owner, (topic, header), now, share.bound_bytes)
        except PeerOverrun as overrun:
            # The caller is in the middle of something; it hears of the loss after it.
            self._loop.call_soon(self.give_up, peer, f"overrun: {overrun}")
            return
        self._flush_soon(peer)

    def confirm_up(self, link: bytes) -> None:
        """A probe of this link has come through the media lane."""
        peer = self.peers.linked(link)
        if peer is not None and not peer.up_seen:
            peer.up_seen = True
            self._advance(peer)

    def unprobed(self) -> list[Peer]:
        """Peers whose media lane is not known to be open both ways."""
        return [p for p in self.peers.all() if not p.is_through()]

    def tick(self, now: float) -> None:
        """Beat, send again and give up, as time demands.

        To be called at least twice per beat: a longer pause is the hub's own, in which it neither
        read what its peers sent nor told them that it is there.
        """
        last, self._ticked_at = self._ticked_at, now
        paused = now - last - self._timing.beat_s
        for peer in self.peers.all():
            if paused > 0:
                peer.forgive(paused)
            if reason := peer.verdict(now, last, self._timing):
                self.give_up(peer, reason)
                continue
            if peer.outbox.stalled_s(now) >= self._timing.resend_s:
                peer.outbox.rewind()
            self._flush(peer)
            if now - peer.sent_at >= self._timing.beat_s * 0.9:
                self._send(peer, Beat())

    def give_up(self, peer: Peer, reason: str) -> None:
        """Disconnect a peer by name, and tell it if it can be told."""
        if self.peers.remove(peer):
            self._socket.send((peer.link, encode_link(Rejected(reason))))
            self._reader.poke()
            if peer.joined and peer.hello is not None:
                self._events.left(peer, reason)

    def is_settled(self) -> bool:
        """Whether every command is acknowledged."""
        return not any(p.outbox for p in self.peers.all())

    def close(self, reason: str, linger_ms: int) -> None:
        for peer in self.peers.all():
            self._socket.send((peer.link, encode_link(Rejected(reason))))
        self._reader.close(linger_ms)

    def _on_message(self, frames: list[bytes]) -> None:
        link = frames[0]
        try:
            if len(frames) < 2:
                raise MalformedFrame("a message without a link frame")
            frame = decode_link(frames[1])
            if isinstance(frame, Register):
                self._register(link, frame, frames[2:])
                return
        except HubError as error:
            self._events.refused(error)
            return
        peer = self.peers.linked(link)
        if peer is None:
            if not isinstance(frame, Bye):
                self._socket.send((link, encode_link(Rejected("this link is not registered"))))
            return
        peer.heard_at = self._loop.time()
        self._handle(peer, frame, frames)

    def _handle(self, peer: Peer, frame: LinkFrame, frames: list[bytes]) -> None:
        match frame:
            case Fact(seq):
                self._owing[peer.link] = peer
                for at in range(2, len(frames), 2):
                    if peer.arrivals.take(seq + at // 2 - 1):
                        self._fact(peer, frames[at : at + 2])
                        # Whom the fact sets to work does not wait for the next fact.
                        self._flush_all()
            case Ack(seq):
                peer.outbox.acknowledge(seq, self._loop.time())
                self._events.acknowledged()
            case Seen():
                peer.down_seen = True
                self._advance(peer)
            case Ask():
                self._answer(peer, frame)
            case Bye():
                self.give_up(peer, "left")
            case Beat():
                pass
            case _:
                self._events.refused(MalformedFrame(f"{type(frame).__name__} from a peer"))

    def _register(self, link: bytes, register: Register, rest: list[bytes]) -> None:
        hello: AnyEnvelope | None = None
        if not register.observer:
            hello = _hello(register.name, rest)
        older = self.peers.named(register.name)
        if older is not None:
            self.give_up(older, "registered again")
        self._ledger.meet(register.name, register.incarnation)
        peer = Peer(register.name, link, register.incarnation, hello, self._loop.time())
        self.peers.add(peer)
        self._send(peer, Registered(self._ledger.boot))
        self._events.registered()

    def _advance(self, peer: Peer) -> None:
        """A probe came through: the last one opens the link."""
        if peer.up_seen and not peer.joined:
            self._send(peer, Seen())
        if peer.is_through() and not peer.joined:
            peer.joined = True
            self._send(peer, Joined())
            self._events.joined(peer)

    def _fact(self, peer: Peer, rest: list[bytes]) -> None:
        try:
            if len(rest) != 2:
                raise MalformedFrame(f"a fact of {len(rest)} frames, topic and header expected")
            line, envelope = decode(rest[0], rest[1])
            if line.command or line.message is AgentHello or peer.hello is None:
                raise MalformedFrame(f"{rest[0]!r} is no fact for {peer.name} to publish")
        except HubError as error:
            self._events.refused(error)
            return
        envelope.src = peer.name
        self._events.fact(peer, envelope, rest[0], len(rest[1]))

    def _answer(self, peer: Peer, ask: Ask) -> None:
        boot, order = self._ledger.boot, self._ledger.order(ask.robot)
        if ask.after < 0:
            found: tuple[AnyEnvelope, ...] | None = self._ledger.snapshot(ask.robot).values
        else:
            found = self._ledger.replay(ask.robot, ask.boot, ask.after)
        pairs = (encode(e)[:2] for e in found or ())
        answer = encode_link(Answer(ask.id, found is not None, boot, order))
        self._send_frames(peer, (answer, *itertools.chain.from_iterable(pairs)))

    def _flush_soon(self, peer: Peer) -> None:
        """What one event causes leaves in one message: a wake-up costs far more than a frame."""
        if not self._unflushed:
            self._loop.call_soon(self._flush_all)
        self._unflushed[peer.link] = peer

    def _flush_all(self) -> None:
        peers, self._unflushed = self._unflushed, {}
        for peer in peers.values():
            if self.peers.linked(peer.link) is peer:
                self._flush(peer)

    def _flush(self, peer: Peer) -> None:
        while batch := peer.outbox.unsent_batch():
            seq, count, frames = batch
            if not self._send_frames(peer, (encode_link(Command(seq)), *frames)):
                return
            peer.outbox.mark_sent(count)

    def _send(self, peer: Peer, frame: LinkFrame) -> bool:
        return self._send_frames(peer, (encode_link(frame),))

    def _send_frames(self, peer: Peer, frames: tuple[bytes, ...]) -> bool:
        self._reader.poke()
        sent = self._socket.send((peer.link, *frames))
        if sent:
            peer.sent_at = self._loop.time()
        return sent

    def _on_drained(self) -> None:
        if self._owing and not self._acking:
            self._acking = True
            self._loop.call_later(ACK_DELAY_S, self._acknowledge)

    def _acknowledge(self) -> None:
        self._acking = False
        for peer in self._owing.values():
            if self.peers.linked(peer.link) is peer:
                self._send(peer, Ack(peer.arrivals.last))
        self._owing.clear()


def _hello(name: str, rest: list[bytes]) -> AnyEnvelope:
    if len(rest) != 2:
        raise MalformedFrame("a registration without the agent's hello")
    line, hello = decode(rest[0], rest[1])
    if line.message is not AgentHello:
        raise MalformedFrame(f"a registration with {rest[0]!r} in place of a hello")
    hello.src = name
    return hello


_ROUTER_OPTIONS: dict[int, int | bytes] = {
    zmq.ROUTER_MANDATORY: 1,
    zmq.ROUTER_HANDOVER: 1,
    zmq.SNDHWM: _HIGH_WATER,
    zmq.RCVHWM: _HIGH_WATER,
    zmq.LINGER: 0,
    # Twice the limit: what is only slightly too large is refused by name, what is absurd is cut.
    zmq.MAXMSGSIZE: 2 * MAX_CONTROL_BYTES,
    zmq.HEARTBEAT_IVL: 500,
    zmq.HEARTBEAT_TIMEOUT: 1500,
}
