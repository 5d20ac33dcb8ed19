"""Engines for a slot: they do nothing, and say when they were started, held and closed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from agents.runtime.death import engine_died
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.progress import progress
from agents.runtime.service import Backend
from agents.runtime.slot import About, EngineSlot, SlotOptions

B = TypeVar("B", bound=Backend)


class FakeEngine:
    """Takes ``load_s`` to start. ``bad…`` cannot be started, ``none…`` cannot be made."""

    name = "fake"

    def __init__(self, model: str = "", load_s: float = 0.0, log: list[str] | None = None) -> None:
        self.model = model or "default"
        self.load_s = load_s
        self.log = [] if log is None else log
        self.ballast: Any = None

    async def start(self) -> None:
        self.log.append(f"start {self.model}")
        progress("load", 1, 2, "files")
        await asyncio.sleep(self.load_s)
        if self.model.startswith("bad"):
            raise BackendUnavailable(f"{self.model} is broken")
        self.log.append(f"ready {self.model}")

    def die(self) -> None:
        engine_died("it was killed")

    async def close(self) -> None:
        self.log.append(f"close {self.model}")
        await asyncio.sleep(0)


class Engines:
    """A slot over fake engines, and what became of them in ``log``."""

    def __init__(
        self,
        options: SlotOptions = SlotOptions(),  # noqa: B008 - immutable
        *,
        beside: bool = True,
        load_s: float = 0.0,
    ) -> None:
        self.log: list[str] = []
        self.load_s = load_s
        self.slot = EngineSlot(
            self.made(""),
            self.made,
            lambda engine: About(engine.name, 4, engine.model),
            options,
            beside=lambda _: beside,
            release=lambda: None,
        )

    def made(self, model: str) -> FakeEngine:
        if model.startswith("none"):
            raise AgentError(f"there is no model {model}", "no_such_model")
        return FakeEngine(model, self.load_s, self.log)


@asynccontextmanager
async def running(slot: EngineSlot[Any]) -> AsyncIterator[None]:
    """A slot that starts and closes engines while the context is open."""
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(slot.run())
        try:
            yield
        finally:
            work.cancel()
    await slot.close()


def slot_of(make: Callable[[str], B], options: SlotOptions = SlotOptions()) -> EngineSlot[B]:  # noqa: B008
    """A slot over the engines of one trade that ``make`` makes for a model."""

    def about(engine: B) -> About:
        capacity, model = getattr(engine, "capacity", 1), getattr(engine, "model", "")
        return About(engine.name, capacity, model)

    return EngineSlot(make(""), make, about, options, release=lambda: None)
