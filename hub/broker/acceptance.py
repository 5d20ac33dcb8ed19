"""The way of a fact through the hub: entered, acted on, shown, in this order."""

from collections import deque
from collections.abc import Callable

from hub.broker.ledger import Ledger
from protocols.bus import BusTap
from protocols.envelope import AnyEnvelope

Show = Callable[[bytes, AnyEnvelope], None]
"""Takes a fact's topic frame and the stamped fact."""


class Acceptance:
    """Numbers facts and passes them on. The hub acts on an agent's fact before anybody sees it;
    observers see facts in the order of their numbers, so what the hub publishes while it acts
    waits behind the fact that caused it."""

    def __init__(self, ledger: Ledger, clock: Callable[[], int], act: Show, show: Show) -> None:
        self._ledger = ledger
        self._clock = clock
        self._act = act
        self._show = show
        self._unseen: deque[tuple[bytes, AnyEnvelope]] = deque()
        self._acting = False
        self.acting_on = 0
        """Id of the agent's fact that is acted on now, else 0."""
        self.tap: BusTap | None = None

    def publish(self, topic: bytes, envelope: AnyEnvelope, size: int) -> None:
        """A fact of the hub's own; ``size`` is the encoded one in bytes."""
        if self._ledger.accept(envelope, size, self._clock()):
            if self.tap is not None:
                self.tap.fact(envelope, acting=False)
            self._unseen.append((topic, envelope))
            self._show_unseen()

    def take(self, topic: bytes, envelope: AnyEnvelope, size: int) -> None:
        """A fact of an agent, ignored if it was accepted before."""
        if not self._ledger.accept(envelope, size, self._clock()):
            return
        if self.tap is not None:
            self.tap.fact(envelope, acting=True)
        self._unseen.append((topic, envelope))
        self._acting, self.acting_on = True, envelope.id
        try:
            self._act(topic, envelope)
        finally:
            self._acting, self.acting_on = False, 0
            if self.tap is not None:
                self.tap.acted()
            self._show_unseen()

    def _show_unseen(self) -> None:
        while self._unseen and not self._acting:
            self._show(*self._unseen.popleft())
