"""A WebSocket as the edge uses it, and the link that every robot's session holds.

Nothing here awaits: a frame goes to the socket in the call that sends it, as long as the socket
takes it. What it does not take waits in an outbox, and a peer that lets it wait is cut.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from hub.counters import Counters
from hub.edge.outbox import Frame, Outbox, Renew
from protocols.qos import QueueDepth

SEND_DEADLINE_S = 5.0
"""A peer whose socket has taken nothing for so long does not read. One that reads too little of
what it is sent is cut by the outbox's bounds instead."""
FORGIVEN_S = 1.0
"""A timer that is later than this says that the hub itself stood still: no peer pays for that."""
_AT_ONCE_BYTES = 16 * 1024
"""Of what waits, so much goes to the socket before it is asked again: what lies in its buffer can
be neither overtaken nor taken back."""

CLOSE_PROTOCOL_ERROR = 4000
CLOSE_NOT_AUTHORISED = 4003
CLOSE_RATE_LIMIT = 4008
CLOSE_SLOW_CONSUMER = 4009
CLOSE_DRAINING = 4010
CLOSE_WIRE_VERSION = 4011
CLOSE_BAD_IDENTITY = 4400
CLOSE_HALF_OPEN = 4408
CLOSE_DUEL = 4409
CLOSE_TOO_MANY = 4429
CLOSE_TOO_LARGE = 1009
CLOSE_INTERNAL = 1011
CLOSE_ABNORMAL = 1006
"""Never sent: what stands for a connection that ended without a close frame."""

log = structlog.get_logger()


class Wire(Protocol):
    """A WebSocket that is written without awaiting."""

    @property
    def flowing(self) -> bool:
        """Whether the socket takes more now."""

    def write(self, frame: Frame) -> None:
        """Send a text (str) or binary (bytes) frame."""

    def close(self, code: int, reason: str) -> None:
        """Send a close frame; soon after, the connection is gone however the peer behaves."""

    def listen(self, on_frame: Callable[[Frame], None], on_flow: Callable[[bool], None]) -> None:
        """From now on call ``on_frame`` for every message, those already here included, and
        ``on_flow`` whenever ``flowing`` changes."""


class WireLink:
    """Writes to one robot: the bounded outbox, its deadline, and the end of the connection."""

    def __init__(self, wire: Wire, counters: Counters, robot: str, in_order: bool) -> None:
        self._wire = wire
        self._counters = counters
        self._robot = robot
        self._outbox = Outbox(in_order)
        self._deadline: asyncio.TimerHandle | None = None
        self._draining = False
        self.closed = False

    @property
    def flowing(self) -> bool:
        """Whether what is written now goes to the socket now."""
        return self._wire.flowing and not self._outbox.waiting and not self.closed

    def write_control(self, frame: Frame, renew: Renew | None = None) -> None:
        """Send a control frame, now or when the socket takes it; what ``renew`` makes then takes
        its place."""
        if self.closed:
            return
        if self.flowing:
            self._wire.write(frame)
        elif not self._outbox.put_control(frame, renew):
            self._cut("control")

    def write_speech(self, turn: int, frame: Frame) -> None:
        """Send a frame of speech, now or when the socket takes it."""
        if self.closed:
            return
        if self._wire.flowing and not self._outbox.waiting:
            self._wire.write(frame)
        elif not self._outbox.put_speech(turn, frame):
            self._cut("speech")

    def depths(self) -> tuple[QueueDepth, ...]:
        """What waits for the socket."""
        return self._outbox.depths(self._robot)

    def drop_speech(self, upto_turn: int) -> None:
        """Throw away waiting speech of turns up to ``upto_turn``."""
        dropped = self._outbox.drop_speech(upto_turn)
        if dropped:
            self._counters.count("speech_frames.fenced", dropped)

    def on_flow(self, flowing: bool) -> None:
        """The socket takes more, or no more."""
        if self.closed:
            return
        self._disarm()
        if flowing:
            self._drain()
        else:
            self._arm()

    def close(self, code: int, reason: str) -> None:
        """End the connection after what control still waits; idempotent."""
        if self.closed:
            return
        self.closed = True
        self._disarm()
        for frame in self._outbox.take_control():
            self._wire.write(frame)
        self._wire.close(code, reason)

    def gone(self) -> None:
        """The connection has ended by itself."""
        self.closed = True
        self._disarm()

    def _drain(self) -> None:
        """Write what waits, a part in every step of the loop: the socket answers in between."""
        self._draining = False
        written = 0
        while written < _AT_ONCE_BYTES and not self.closed and self._wire.flowing:
            if (frame := self._outbox.pop()) is None:
                return
            self._wire.write(frame)
            written += len(frame)
        if self._wire.flowing and self._outbox.waiting and not (self.closed or self._draining):
            self._draining = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _arm(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(
            SEND_DEADLINE_S, self._overdue, loop.time() + SEND_DEADLINE_S
        )

    def _overdue(self, due_s: float) -> None:
        if asyncio.get_running_loop().time() - due_s > FORGIVEN_S:
            self._arm()
        else:
            self._cut("deadline")

    def _cut(self, bound: str) -> None:
        self._counters.count(f"slow_consumer.{bound}")
        log.warning("slow consumer cut", robot=self._robot, bound=bound)
        self.close(CLOSE_SLOW_CONSUMER, "slow_consumer")

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
