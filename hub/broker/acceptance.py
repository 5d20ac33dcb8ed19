"""The way of a fact through the hub: entered, acted on, shown, in this order."""

from collections import deque
from collections.abc import Callable

from hub.broker.ledger import Ledger
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

    def publish(self, topic: bytes, envelope: AnyEnvelope, size: int) -> None:
        """A fact of the hub's own; ``size`` is the encoded one in bytes."""
        if self._ledger.accept(envelope, size, self._clock()):
            self._unseen.append((topic, envelope))
            self._show_unseen()

    def take(self, topic: bytes, envelope: AnyEnvelope, size: int) -> None:
        """A fact of an agent, ignored if it was accepted before."""
        if not self._ledger.accept(envelope, size, self._clock()):
            return
        self._unseen.append((topic, envelope))
        self._acting = True
        try:
            self._act(topic, envelope)
        finally:
            self._acting = False
            self._show_unseen()

    def _show_unseen(self) -> None:
        while self._unseen and not self._acting:
            self._show(*self._unseen.popleft())
