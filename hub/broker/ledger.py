"""The control ledger: which facts the hub has accepted, in which order, and what of them it holds.

Pure and shared by every engine. A fact enters at most once, gets the next number of its robot,
and stays in that robot's ring until newer ones push it out; state topics also keep their last
value. So the sequence of a robot has no gap, and whoever missed a part gets the same part.
"""

from collections import deque

import msgspec

from protocols.bus import Snapshot
from protocols.envelope import AnyEnvelope
from protocols.messages.agent import AgentHealth
from protocols.messages.model import ModelState
from protocols.qos import QOS, Lane, LateJoiner
from protocols.topics import CATALOG, topic_name

RING_BYTES = 256 * 1024
"""Facts kept per robot; four times what a peer may lag behind before it is cut."""
RING_MESSAGES = 2048
MAX_RINGS = 1024
"""Robots whose past is kept; beyond it the robot that was quiet for longest loses its ring."""


class _Kept(msgspec.Struct, frozen=True, gc=False):
    envelope: AnyEnvelope
    size: int


class _Past:
    """What is held of one robot."""

    __slots__ = ("bytes", "ring", "values")

    def __init__(self) -> None:
        self.ring: deque[_Kept] = deque()
        self.bytes = 0
        self.values: dict[tuple[str, ...], AnyEnvelope] = {}

    def keep(self, kept: _Kept, max_bytes: int, max_messages: int) -> None:
        self.ring.append(kept)
        self.bytes += kept.size
        while len(self.ring) > max_messages or self.bytes > max_bytes:
            self.bytes -= self.ring.popleft().size


class Ledger:
    """Facts by robot (``""`` holds what concerns none). One ledger lives as long as its boot."""

    def __init__(
        self,
        boot: int,
        *,
        ring_bytes: int = RING_BYTES,
        ring_messages: int = RING_MESSAGES,
        max_rings: int = MAX_RINGS,
    ) -> None:
        self.boot = boot
        self.duplicates = 0
        self._ring_bytes = ring_bytes
        self._ring_messages = ring_messages
        self._max_rings = max_rings
        self._orders: dict[str, int] = {}
        self._pasts: dict[str, _Past] = {}
        self._last_id: dict[str, int] = {}
        self._incarnations: dict[str, int] = {}

    def accept(self, envelope: AnyEnvelope, size: int, now_ns: int) -> bool:
        """Take a fact in; stamp ``t_hub_ns``, and ``(boot, order)`` unless it is telemetry.

        Facts of one source come in the order of their ids, so a duplicate is one that is not
        newer than the last. ``size`` is the encoded size in bytes, ``now_ns`` the hub's clock.

        Returns:
            False if ``(src, id)`` was accepted before; the envelope is left as it is.
        """
        if envelope.id <= self._last_id.get(envelope.src, 0):
            self.duplicates += 1
            return False
        self._last_id[envelope.src] = envelope.id
        envelope.t_hub_ns = now_ns
        envelope.boot = self.boot
        name = topic_name(type(envelope.body))
        qos = QOS[CATALOG[name].qos]
        if qos.late_joiner is LateJoiner.NOTHING:
            envelope.order = 0
            return True
        order = self._orders.get(envelope.robot, 0) + 1
        envelope.order = self._orders[envelope.robot] = order
        past = self._past(envelope.robot)
        past.keep(_Kept(envelope, size), self._ring_bytes, self._ring_messages)
        if qos.late_joiner is LateJoiner.SNAPSHOT:
            past.values[_state_key(name, envelope)] = envelope
        return True

    def order(self, robot: str) -> int:
        """The robot's last number; 0 before its first fact."""
        return self._orders.get(robot, 0)

    @property
    def orders(self) -> dict[str, int]:
        """The last number of every robot that ever had a fact."""
        return dict(self._orders)

    def snapshot(self, robot: str) -> Snapshot:
        """The robot's last values and the sequence they are current to."""
        past = self._pasts.get(robot)
        values = tuple(past.values.values()) if past else ()
        return Snapshot(self.boot, self.order(robot), values)

    def replay(self, robot: str, boot: int, after: int) -> tuple[AnyEnvelope, ...] | None:
        """The facts after ``(boot, after)`` in order; None if they are not all held any more."""
        last = self.order(robot)
        if boot != self.boot or not 0 <= after <= last:
            return None
        if after == last:
            return ()
        past = self._pasts.get(robot)
        if past is None or not past.ring or past.ring[0].envelope.order > after + 1:
            return None
        return tuple(k.envelope for k in past.ring if k.envelope.order > after)

    def meet(self, src: str, incarnation: int) -> None:
        """A process registers. What it sends again is known for as long as this ledger lives, though
        the sockets be others; another process of the name counts its ids from the beginning."""
        if self._incarnations.get(src) != incarnation:
            self._incarnations[src] = incarnation
            self.forget_source(src)

    def forget_source(self, src: str) -> None:
        """A new process bears this name: its ids count from the beginning."""
        self._last_id.pop(src, None)

    def forget_robot(self, robot: str) -> None:
        """Free ring and values of a robot; its numbers go on where they stood."""
        self._pasts.pop(robot, None)

    def _past(self, robot: str) -> _Past:
        past = self._pasts.pop(robot, None) or _Past()
        self._pasts[robot] = past
        while len(self._pasts) > self._max_rings:
            del self._pasts[next(iter(self._pasts))]
        return past


def is_fact(name: str) -> bool:
    """Whether a topic class is a fact, so that it belongs into the ledger."""
    topic = CATALOG[name]
    return topic.lane is Lane.CONTROL and not topic.command


def _state_key(name: str, envelope: AnyEnvelope) -> tuple[str, ...]:
    """What a new value replaces: the robot's last one, or that of the same agent."""
    body = envelope.body
    if isinstance(body, AgentHealth | ModelState):
        return name, body.kind, body.role
    return (name,)
