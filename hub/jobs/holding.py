"""Tells agents of long work to hold while robots are being answered, and to go on."""

import asyncio
from contextlib import suppress

from hub.jobs.hold import Hold
from protocols.bus import HubBus
from protocols.envelope import AnyEnvelope, Envelope
from protocols.errors import UnknownPeer
from protocols.messages.agent import AgentHello
from protocols.messages.job import WorkHold
from protocols.topics import topic_name

_SLACK_S = 0.001
"""Timers may fire a little early."""


class HoldKeeper:
    """What holds is state: an agent that joins later is told it, too."""

    def __init__(self, bus: HubBus) -> None:
        self._bus = bus
        self._hold = Hold()
        self._agents: set[str] = set()
        self._held = False
        self._timer: asyncio.TimerHandle | None = None
        bus.on_peers(self._joined, self._left)

    @property
    def held(self) -> bool:
        """Whether long work holds."""
        return self._held

    def answering(self, robot: str, busy: bool) -> None:
        """A robot is being answered, or is no more."""
        if busy:
            self._hold.answering(robot, self._now())
        else:
            self._hold.answered(robot)
        self._look()

    def close(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        held = self._hold.read(self._now())
        if held != self._held:
            self._held = held
            for instance in sorted(self._agents):
                self._tell(instance)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ns = self._hold.due_ns
        if due_ns is not None:
            loop = asyncio.get_running_loop()
            wait_s = max(0, due_ns - self._now()) / 1e9 + _SLACK_S
            self._timer = loop.call_later(wait_s, self._look)

    def _joined(self, instance: str, hello: AnyEnvelope) -> None:
        assert isinstance(hello.body, AgentHello)
        if topic_name(WorkHold) not in hello.body.consumes:
            return
        self._agents.add(instance)
        if self._held:
            self._tell(instance)

    def _left(self, instance: str, reason: str) -> None:
        self._agents.discard(instance)

    def _tell(self, instance: str) -> None:
        # One that is gone holds no more: the loss of the link opens its latch.
        with suppress(UnknownPeer):
            self._bus.send(instance, Envelope(body=WorkHold(held=self._held)))

    def _now(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)
