"""A scripted painter that remembers what it was ordered."""

from collections.abc import AsyncGenerator

from agents.image_gen.backends.base import News, Order
from agents.image_gen.backends.scripted import ScriptedPainter
from agents.runtime.latch import Latch


class NotingPainter(ScriptedPainter):
    """``orders`` are all of them."""

    def __init__(self) -> None:
        super().__init__(Latch(), model="tiny-painter")
        self.orders: list[Order] = []

    def paint(self, order: Order) -> AsyncGenerator[News, None]:
        self.orders.append(order)
        return super().paint(order)

    def slow_down(self, step_s: float) -> None:
        """Take so long for every step from now on."""
        self._step_s = step_s
