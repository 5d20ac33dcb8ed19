"""The in-process bus with what a network and a process scheduler do to it."""

import asyncio
import random
from collections import Counter

from hub.broker.inproc import InprocAgentBus, InprocBroker, InprocHubBus
from hub.broker.inproc_end import ControlPipe
from hub.broker.pipe import Frames
from protocols.bus import Handler
from protocols.envelope import AnyEnvelope
from protocols.messages.agent import AgentHello
from protocols.messages.speech import SpeechRequest
from protocols.qos import Lane
from protocols.topics import CATALOG, topic_name
from tests.simulation.facts import Facts
from tests.simulation.plan import FAULTS_END_S, Fault
from tests.virtual_time import START_S


class Dead(Exception):
    """Raised into what a process that is gone still wants to do."""


class HubEnd(InprocHubBus):
    """The hub's end. ``orders`` counts the commands of every agent's present link."""

    def __init__(self, broker: InprocBroker, boot: int, facts: Facts) -> None:
        super().__init__(broker, boot, "hub")
        self.dead = False
        self.orders: Counter[str] = Counter()
        self._facts = facts

    def publish(self, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        if self.dead:
            raise Dead
        super().publish(envelope, blob)

    def send(self, peer: str, envelope: AnyEnvelope) -> None:
        if self.dead:
            raise Dead
        body = envelope.body
        if isinstance(body, SpeechRequest):
            self._facts.requested(body.text, envelope.robot, envelope.turn)
        super().send(peer, envelope)
        self.orders[peer] += 1

    def welcome(self, name: str, hello: AnyEnvelope) -> None:
        self.orders[name] = 0
        super().welcome(name, hello)

    def miss(self, name: str, reason: str) -> None:
        if not self.dead:
            super().miss(name, reason)

    def accept(self, agent: InprocAgentBus, frames: Frames) -> None:
        if not self.dead:
            super().accept(agent, frames)

    def _show(self, topic: bytes, envelope: AnyEnvelope) -> None:
        self._facts.accepted(envelope)
        super()._show(topic, envelope)


class AgentEnd(InprocAgentBus):
    """An agent's end, with a link that is late and a process that may hang. ``obeyed`` counts the
    commands that came over its present link."""

    def __init__(
        self, broker: InprocBroker, name: str, hello: AgentHello | None,
        chance: random.Random, faults: frozenset[Fault],
    ) -> None:  # fmt: skip
        super().__init__(broker, name, hello)
        self.obeyed = 0
        self._chance = chance
        self._slow = Fault.DELAY in faults
        self._loses = Fault.MEDIA_LOSS in faults
        self._doubles = Fault.DUPLICATE in faults
        self._awake_at = 0.0
        self._calm_at = START_S + FAULTS_END_S
        self._delay = self._lag
        self.commands = ControlPipe(self._command_in, self._lag)
        self.facts = ControlPipe(self._fact_out, self._lag)
        self.on_link(self._forget_count, lambda _: None)

    def stall(self, seconds: float) -> None:
        """The process does nothing for so long: what it gets and gives waits."""
        self._awake_at = asyncio.get_running_loop().time() + seconds

    def serve(self, handler: Handler) -> None:
        def counted(envelope: AnyEnvelope, blob: bytes) -> None:
            self.obeyed += 1
            handler(envelope, blob)

        super().serve(counted)

    def _forget_count(self) -> None:
        self.obeyed = 0

    def _lag(self, envelope: AnyEnvelope) -> float | None:
        now = asyncio.get_running_loop().time()
        stalled = max(0.0, self._awake_at - now)
        if now >= self._calm_at:
            return stalled
        media = CATALOG[topic_name(type(envelope.body))].lane is Lane.MEDIA
        if media and self._loses and self._chance.random() < 0.01:
            return None
        if not self._slow:
            return stalled
        slow = self._chance.random() < 0.02
        return stalled + self._chance.uniform(0.0, 0.15 if slow else 0.003)

    def _fact_out(self, frames: Frames) -> None:
        super()._fact_out(frames)
        if self._doubles and self._chance.random() < 0.05:
            super()._fact_out(frames)
