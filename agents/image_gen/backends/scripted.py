"""A painter that draws tiles by the hash of its order: for tests and benches."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable

import numpy as np
from numpy.typing import NDArray

from agents.image_gen.backends.base import Made, News, Order, Step
from agents.image_gen.png import png_of
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.latch import Latch

TILES = 8
"""On each side of a picture."""

Sleep = Callable[[float], Awaitable[None]]


class ScriptedPainter:
    """Takes ``step_s`` for every step. A model whose name begins with ``!`` cannot be started, and
    an order whose prompt begins with ``!`` fails after its first step, with the rest as its code.

    ``taken`` counts the steps of all orders.
    """

    name = "scripted"
    capacity = 1

    def __init__(
        self,
        latch: Latch,
        *,
        model: str = "",
        step_s: float = 0.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.model = model
        self.counters: Counter[str] = Counter()
        self.taken = 0
        self._latch = latch
        self._step_s = step_s
        self._sleep = sleep

    async def start(self) -> None:
        """Nothing to load.

        Raises:
            BackendUnavailable: the model is scripted to be one that cannot be.
        """
        if self.model.startswith("!"):
            raise BackendUnavailable(f"{self.model} is scripted to fail")

    async def close(self) -> None:
        """Nothing to free."""

    async def paint(self, order: Order) -> AsyncGenerator[News, None]:
        """See ``Painter``."""
        for image, seed in enumerate(order.seeds):
            for step in range(1, order.steps_taken + 1):
                await self._latch.wait()
                await self._sleep(self._step_s)
                self.taken += 1
                yield Step(image, step, order.steps_taken)
                if order.prompt.startswith("!"):
                    raise AgentError("it is scripted to fail", order.prompt[1:])
            yield Made(png_of(_drawn(order, seed)), order.width, order.height)


def _drawn(order: Order, seed: int) -> NDArray[np.uint8]:
    """Tiles of the order's own colours; of the source's by what is kept of it."""
    told = (order.prompt, order.negative_prompt, order.steps, order.guidance, seed)
    tiles = _tiles(repr(told).encode() + order.mask)
    if order.source:
        kept = _tiles(order.source) * (1 - order.strength)
        tiles = tiles * order.strength + kept
    rows = np.arange(order.height) * TILES // order.height
    columns = np.arange(order.width) * TILES // order.width
    return tiles.astype(np.uint8)[rows][:, columns]


def _tiles(data: bytes) -> NDArray[np.float64]:
    drawn = hashlib.shake_128(data).digest(TILES * TILES * 3)
    return np.frombuffer(drawn, np.uint8).reshape(TILES, TILES, 3).astype(np.float64)
