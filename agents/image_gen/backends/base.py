"""What the image agent asks of its engines: pictures of one order, step by step."""

from collections import Counter
from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol

from agents.image_gen.order import Order
from agents.runtime.service import Backend

__all__ = ["PAINTERS", "Made", "News", "Order", "Painter", "Step"]

PAINTERS = {
    "diffusers": "agents.image_gen.backends.diffusers:DiffusersPainter",
    "openai": "agents.image_gen.backends.openai:OpenAiPainter",
    "scripted": "agents.image_gen.backends.scripted:ScriptedPainter",
}
"""Painters by the name that settings call them."""


class Step(NamedTuple):
    """Step ``step`` (from 1) of ``steps`` of picture ``image`` (from 0) is done."""

    image: int
    step: int
    steps: int


class Made(NamedTuple):
    """A picture is complete; they come in the order of their seeds."""

    png: bytes
    width: int
    height: int


News = Step | Made


class Painter(Backend, Protocol):
    """An engine that is loaded once and carries out ``capacity`` orders at once."""

    @property
    def capacity(self) -> int:
        """How many orders it carries out at once."""

    @property
    def model(self) -> str:
        """What was loaded, for people."""

    @property
    def counters(self) -> Counter[str]:
        """What it did not do as it was told to, counted."""

    def paint(self, order: Order) -> AsyncGenerator[News, None]:
        """Make the pictures of ``order``; the same order gives the same bytes on one machine, where
        the engine has seeds at all. Closing it ends the work before its next step.

        Raises:
            AgentError: the engine failed; it can be asked again.
        """
