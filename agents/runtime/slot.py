"""The place that an agent's engine has: loaded when it is needed, unloaded when it is not, and
changed for another while people are served.

What is decided stands in ``slot_rules.py``; this performs it::

    slot = EngineSlot(chosen(settings), make, about)
    async with slot.lease() as engine:  # loads it, or waits with others who do
        ...
    await slot.switch("another model")  # whoever holds the old one finishes with it
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar

import structlog

from agents.runtime import footprint
from agents.runtime.death import deaths_told_to, engine_died
from agents.runtime.errors import AgentError, BackendUnavailable, EngineDied
from agents.runtime.progress import progress
from agents.runtime.service import Backend
from agents.runtime.slot_events import (
    Close,
    Closed,
    Died,
    Done,
    Effect,
    Engine,
    Event,
    Fail,
    Failure,
    Grant,
    IdleDue,
    LeaseAsked,
    LeaseEnded,
    Mourn,
    OrderGone,
    Refuse,
    Rest,
    Start,
    Started,
    StartFailed,
    SwitchAsked,
    UnloadAsked,
    WaiterGone,
)
from agents.runtime.slot_rules import Slot, step
from protocols.messages.model import LoadState

B = TypeVar("B", bound=Backend)

_log = structlog.get_logger()


class About(NamedTuple):
    """What an engine is, kept when the engine itself is not."""

    backend: str
    capacity: int
    model: str = ""
    info: Mapping[str, str] = {}


class Report(NamedTuple):
    """How a slot stands, for people."""

    state: LoadState
    model: str
    detail: str = ""


class SlotOptions(NamedTuple):
    """``warm_up``: the engine is loaded before the agent is ready, else for the first who needs it.
    ``unload_after_s``: how long nobody may need it before it is unloaded; 0: it stays."""

    warm_up: bool = True
    unload_after_s: float = 0.0


class EngineSlot(Generic[B]):
    """Owns the engines of an agent, one at a time, two during a switch.

    Args:
        first: the engine of the settings, not yet started.
        make: makes one for a model, or for that of the settings if the name is empty. Called in a
            thread; an ``AgentError`` from it says why there is none for that model.
        about: says what an engine is; asked again once it has started.
        beside: whether there is room for another engine beside a given one while a switch lasts.
        release: frees the memory that an engine has left behind.
    """

    def __init__(
        self,
        first: B,
        make: Callable[[str], B],
        about: Callable[[B], About],
        options: SlotOptions = SlotOptions(),  # noqa: B008 - immutable
        *,
        beside: Callable[[B], bool] = lambda engine: True,
        release: Callable[[], None] = footprint.release,
    ) -> None:
        self._first: B | None = first
        self._make = make
        self._about_of = about
        self._options = options
        self._beside = beside
        self._release = release
        self.about = about(first)
        """Of the engine in use, or of the last one."""
        self._slot = Slot()
        self._engines: dict[Engine, B] = {}
        self._starts: dict[Engine, asyncio.Task[None]] = {}
        self._numbers = count(1)
        self._leases: dict[int, asyncio.Future[Engine]] = {}
        self._orders: dict[int, asyncio.Future[None]] = {}
        self._events: deque[Event] = deque()
        self._work: asyncio.Queue[Start | Close] = asyncio.Queue()
        self._context = copy_context()
        """Where the agent is told of a death: what an engine calls comes to this slot first."""
        self._rest: asyncio.TimerHandle | None = None
        self._last_report = self._reported(None)
        self._changed: Callable[[], None] = lambda: None
        self._retired: Callable[[B], None] = lambda engine: None

    @property
    def engines(self) -> tuple[B, ...]:
        """All that are in memory, in the order of their starts."""
        return tuple(self._engines.values())

    @property
    def serving(self) -> B | None:
        """The engine that new leases get now."""
        return self._engines.get(self._slot.serving)

    @property
    def report(self) -> Report:
        """How it stands."""
        return self._last_report

    def on_change(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` whenever the report or the memory in use is another."""
        self._changed = changed

    def on_retire(self, retired: Callable[[B], None]) -> None:
        """Call ``retired`` with every engine that is about to be closed."""
        self._retired = retired

    async def start(self) -> None:
        """See ``Backend``: with warm-up the engine is loaded, else nothing happens yet."""
        if self._options.warm_up:
            await self.switch(self._slot.model)

    async def run(self) -> None:
        """Start and close engines, for as long as the agent lives."""
        self._context = copy_context()
        async with asyncio.TaskGroup() as tasks:
            while True:
                match await self._work.get():
                    case Start(engine, model):
                        starting = self._start(engine, model)
                        self._starts[engine] = tasks.create_task(starting, name="engine")
                    case Close(engine):
                        tasks.create_task(self._close(engine), name="closing")

    async def close(self) -> None:
        """Free every engine, whoever holds it: the agent ends. ``run`` is over by then."""
        if self._rest is not None:
            self._rest.cancel()
        engines, self._engines = [*self._engines.values()], {}
        if self._first is not None:
            engines.append(self._first)
            self._first = None
        for engine in engines:
            self._retired(engine)
            await engine.close()

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[B]:
        """The engine, for as long as the context is open: it is neither closed nor replaced under
        its holder. It is loaded if there is none; to stop waiting for that does not stop the load.

        Raises:
            BackendUnavailable: it cannot be loaded; the code says why.
        """
        engine = await self._granted()
        try:
            yield self._engines[engine]
        finally:
            self._take(LeaseEnded(engine))

    async def switch(self, model: str) -> None:
        """Serve with ``model`` from now on; return once new leases get it. To stop waiting stops the
        switch: what served before serves on.

        Raises:
            BackendUnavailable: it cannot be loaded, or another one is being loaded
                (``model_busy``); what served before serves on.
        """
        serving = self.serving
        if serving is not None and model == self.about.model:
            model = self._slot.model  # by the name that it turned out to have
        beside = serving is None or self._beside(serving)
        await self._ordered(lambda order: SwitchAsked(order, model, beside))

    async def unload(self) -> None:
        """Free the engine's memory; return once it is free, which takes until nobody holds it. A
        load that is under way is stopped."""
        await self._ordered(UnloadAsked)

    async def _granted(self) -> Engine:
        waiter = next(self._numbers)
        answer: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()
        self._leases[waiter] = answer
        self._take(LeaseAsked(waiter))
        try:
            return await answer
        except asyncio.CancelledError:
            if waiter in self._leases:
                del self._leases[waiter]
                self._take(WaiterGone(waiter))
            elif not answer.cancelled() and answer.exception() is None:
                self._take(LeaseEnded(answer.result()))
            raise

    async def _ordered(self, event_of: Callable[[int], Event]) -> None:
        order = next(self._numbers)
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._orders[order] = answer
        self._take(event_of(order))
        try:
            await answer
        except asyncio.CancelledError:
            if self._orders.pop(order, None) is not None:
                self._take(OrderGone(order))
            elif not answer.cancelled():
                answer.exception()  # nobody is left to be told
            raise

    def _take(self, event: Event) -> None:
        """Decide and perform; what happens meanwhile comes after it."""
        self._events.append(event)
        if len(self._events) > 1:
            return
        freed = False
        try:
            while self._events:
                freed = freed or isinstance(self._events[0], Closed)
                self._slot, effects = step(self._slot, self._events[0])
                for effect in effects:
                    self._perform(effect)
                self._events.popleft()
        finally:
            self._events.clear()
        report = self._reported(self._last_report)
        if report != self._last_report or freed:
            self._last_report = report
            self._changed()

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Grant(waiter, engine):
                answer = self._leases.pop(waiter)
                if answer.cancelled():
                    self._events.append(LeaseEnded(engine))
                else:
                    answer.set_result(engine)
            case Refuse(waiter, failure):
                _fail(self._leases.pop(waiter), failure)
            case Done(order):
                ordered = self._orders.pop(order, None)
                if ordered is not None and not ordered.done():
                    ordered.set_result(None)
            case Fail(order, failure):
                _fail(self._orders.pop(order, None), failure)
            case Start() | Close():
                self._work.put_nowait(effect)
            case Rest():
                self._count_rest()
            case Mourn(failure):
                self._context.run(engine_died, failure.detail)

    def _count_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        if self._options.unload_after_s > 0:
            self._rest = asyncio.get_running_loop().call_later(
                self._options.unload_after_s, self._take, IdleDue()
            )

    async def _start(self, number: Engine, model: str) -> None:
        progress(f"loading {model}".strip())
        try:
            engine = self._engines[number] = await self._made(model)
            with deaths_told_to(partial(self._died, number)):
                await engine.start()
        except AgentError as error:
            _log.warning("engine.failed", model=model, code=error.code, detail=str(error))
            self._take(StartFailed(number, Failure(error.code, str(error))))
            return
        self.about = self._about_of(engine)
        footprint.settle_again()
        _log.info("engine.ready", backend=self.about.backend, model=self.about.model)
        self._take(Started(number))

    async def _made(self, model: str) -> B:
        first, self._first = self._first, None
        if first is not None and not model:
            return first
        if first is not None:
            await first.close()
        return await asyncio.to_thread(self._make, model)

    async def _close(self, number: Engine) -> None:
        start = self._starts.pop(number, None)
        if start is not None:
            start.cancel()
            await asyncio.wait([start])
        if number in self._engines:
            await self._close_engine(number)
        self._release()
        _log.info("engine.closed", memory_mib=footprint.resident_mib())
        self._take(Closed(number))

    async def _close_engine(self, number: Engine) -> None:
        """In a frame of its own, so that nothing refers to the engine afterwards."""
        engine = self._engines[number]
        self._retired(engine)
        try:
            await engine.close()
        except AgentError as error:
            _log.warning("engine.close_failed", code=error.code, detail=str(error))
        del self._engines[number]

    def _died(self, number: Engine, death: EngineDied) -> None:
        self._take(Died(number, Failure(death.code, str(death))))

    def _reported(self, last: Report | None) -> Report:
        slot = self._slot
        if slot.is_loading:
            model = slot.switch.model if slot.switch is not None else slot.model
            return Report(LoadState.LOADING, model or self.about.model)
        model = slot.model or self.about.model
        if slot.serving:
            return Report(LoadState.READY, self.about.model or model)
        if slot.failure is not None:
            return Report(LoadState.FAILED, model, slot.failure.detail)
        if last is not None and (slot.leaving or slot.closing):
            return last  # until its memory is free
        return Report(LoadState.UNLOADED, model)


def _fail(answer: "asyncio.Future[Any] | None", failure: Failure) -> None:
    if answer is not None and not answer.done():
        answer.set_exception(BackendUnavailable(failure.detail, failure.code))
