"""A hub's bus that can die as by ``kill -9``: from then on nothing goes in or out."""

from collections.abc import Callable
from typing import Any

from hub.broker.inproc import InprocHubBus
from protocols.bus import Handler
from protocols.envelope import AnyEnvelope, Message


class MortalBus:
    """An ``InprocHubBus`` for as long as it is ``alive``. What its hub still does is seen by
    nobody."""

    def __init__(self, bus: InprocHubBus) -> None:
        self.alive = True
        self._bus = bus

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def die(self) -> None:
        """End, without a word."""
        self.alive = False
        await self._bus.close()

    def publish(self, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        if self.alive:
            self._bus.publish(envelope, blob)

    def send(self, peer: str, envelope: AnyEnvelope) -> None:
        if self.alive:
            self._bus.send(peer, envelope)

    def subscribe(self, message: type[Message], handler: Handler, robot: str | None = None) -> None:
        self._bus.subscribe(message, self._while_alive(handler), robot)

    def on_peers(
        self, joined: Callable[[str, AnyEnvelope], None], left: Callable[[str, str], None]
    ) -> None:
        self._bus.on_peers(self._while_alive(joined), self._while_alive(left))

    def _while_alive(self, call: Callable[..., None]) -> Callable[..., None]:
        def called(*args: Any) -> None:
            if self.alive:
                call(*args)

        return called
