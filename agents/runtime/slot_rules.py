"""Who is served by which engine of a slot, and which engines there are: every decision of
``slot.py``, as a table.

Laws: new leases are served by one engine at most; an engine is closed only when nobody holds it,
and nobody is given one that is leaving; two engines are in memory together only where a switch says
that they may be; everybody who waits is answered, with an engine or with a failure. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

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

BUSY = Failure("model_busy", "another model is being loaded")
STOPPED = Failure("load_stopped", "the load was stopped before the model was ready")


class Switch(NamedTuple):
    """A switch that is under way. ``old`` served when it was asked for."""

    order: int
    model: str
    beside: bool
    old: Engine


class Unload(NamedTuple):
    """An unload that waits for engines to be out of memory."""

    order: int
    engines: frozenset[Engine]


@dataclass(frozen=True, slots=True)
class Slot:
    """All there is to know. ``model`` is that of the engine that serves, or will."""

    model: str = ""
    serving: Engine = 0
    starting: Engine = 0
    leases: Mapping[Engine, int] = field(default_factory=dict)
    """How many hold an engine; only those that somebody holds."""
    leaving: frozenset[Engine] = frozenset()
    """Held by those who have them, given to nobody else, closed then."""
    closing: frozenset[Engine] = frozenset()
    waiting: tuple[int, ...] = ()
    switch: Switch | None = None
    wanted: bool = False
    """An engine was given up for one that failed: it is started again."""
    unloads: tuple[Unload, ...] = ()
    failure: Failure | None = None
    """Why the last start failed, until one succeeds."""
    last: Engine = 0

    @property
    def is_loading(self) -> bool:
        """An engine is on its way."""
        return bool(self.starting or self.switch or self.wanted or self.waiting)


def step(slot: Slot, event: Event) -> tuple[Slot, tuple[Effect, ...]]:
    """What becomes of a slot by an event, and what is to be done, in order."""
    draft = _Draft(slot)
    RULES[type(event)](draft, event)
    draft.settle()
    if draft.is_at_rest and not _Draft(slot).is_at_rest:
        draft.effects.append(Rest())
    return draft.slot, tuple(draft.effects)


class _Draft:
    """A slot in the middle of a step: the verbs that rules are written in."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.effects: list[Effect] = []

    @property
    def is_at_rest(self) -> bool:
        return bool(self.slot.serving) and not self.slot.leases.get(self.slot.serving)

    def set(self, **changes: Any) -> None:
        self.slot = replace(self.slot, **changes)

    def hold(self, engine: Engine, by: int) -> None:
        """Change how many hold an engine."""
        leases = {**self.slot.leases, engine: self.slot.leases.get(engine, 0) + by}
        self.set(leases={held: number for held, number in leases.items() if number})

    def leave(self) -> None:
        """Give the engine that serves to nobody any more."""
        if self.slot.serving:
            self.set(leaving=self.slot.leaving | {self.slot.serving}, serving=0)

    def close(self, engine: Engine) -> None:
        self.set(leaving=self.slot.leaving - {engine}, closing=self.slot.closing | {engine})
        self.effects.append(Close(engine))

    def abandon_start(self) -> None:
        """Stop the start that is under way."""
        if self.slot.starting:
            engine = self.slot.starting
            self.set(starting=0)
            self.close(engine)

    def refuse_all(self, failure: Failure) -> None:
        self.effects += [Refuse(waiter, failure) for waiter in self.slot.waiting]
        self.set(waiting=())

    def go_back(self) -> None:
        """End a switch that did not succeed: the old engine serves, if need be a new one of it."""
        switch = self.slot.switch
        if switch is None:
            return
        self.set(switch=None)
        if switch.old in self.slot.leaving:
            self.set(leaving=self.slot.leaving - {switch.old}, serving=switch.old)
        elif switch.old and not self.slot.serving:
            self.set(wanted=True)

    def settle(self) -> None:
        """Draw the consequences that follow from any change."""
        for engine in sorted(self.slot.leaving):
            if not self.slot.leases.get(engine):
                self.close(engine)
        if self.slot.serving:
            self._grant_all()
        elif self.slot.is_loading and not self.slot.starting and self._has_room:
            self._start(self.slot.switch.model if self.slot.switch else self.slot.model)
        if self.slot.serving and self.slot.switch is not None and not self.slot.starting:
            self._start(self.slot.switch.model)
        self._answer_unloads()

    @property
    def _has_room(self) -> bool:
        """Whether a further engine may come into memory."""
        switch = self.slot.switch
        beside = switch is not None and switch.beside
        return beside or not (self.slot.leaving or self.slot.closing)

    def _grant_all(self) -> None:
        for waiter in self.slot.waiting:
            self.hold(self.slot.serving, 1)
            self.effects.append(Grant(waiter, self.slot.serving))
        self.set(waiting=())

    def _start(self, model: str) -> None:
        engine = self.slot.last + 1
        self.set(starting=engine, last=engine)
        self.effects.append(Start(engine, model))

    def _answer_unloads(self) -> None:
        gone = [u for u in self.slot.unloads if not u.engines]
        self.effects += [Done(unload.order) for unload in gone]
        self.set(unloads=tuple(u for u in self.slot.unloads if u.engines))


def _lease_asked(draft: _Draft, event: LeaseAsked) -> None:
    draft.set(waiting=(*draft.slot.waiting, event.waiter))


def _waiter_gone(draft: _Draft, event: WaiterGone) -> None:
    draft.set(waiting=tuple(w for w in draft.slot.waiting if w != event.waiter))


def _lease_ended(draft: _Draft, event: LeaseEnded) -> None:
    draft.hold(event.engine, -1)


def _idle_due(draft: _Draft, event: IdleDue) -> None:
    if draft.is_at_rest and draft.slot.switch is None:
        draft.leave()
    elif draft.is_at_rest:
        draft.effects.append(Rest())


def _switch_asked(draft: _Draft, event: SwitchAsked) -> None:
    slot = draft.slot
    if slot.is_loading:
        draft.effects.append(Fail(event.order, BUSY))
    elif slot.serving and event.model == slot.model:
        draft.effects.append(Done(event.order))
    else:
        draft.set(switch=Switch(event.order, event.model, event.beside, slot.serving))
        if not event.beside:
            draft.leave()


def _unload_asked(draft: _Draft, event: UnloadAsked) -> None:
    if draft.slot.switch is not None:
        draft.effects.append(Fail(draft.slot.switch.order, STOPPED))
    draft.set(switch=None, wanted=False, failure=None)
    draft.refuse_all(STOPPED)
    draft.abandon_start()
    draft.leave()
    unload = Unload(event.order, draft.slot.leaving | draft.slot.closing)
    draft.set(unloads=(*draft.slot.unloads, unload))


def _order_gone(draft: _Draft, event: OrderGone) -> None:
    draft.set(unloads=tuple(u for u in draft.slot.unloads if u.order != event.order))
    if draft.slot.switch is not None and draft.slot.switch.order == event.order:
        draft.abandon_start()
        draft.go_back()


def _started(draft: _Draft, event: Started) -> None:
    if event.engine != draft.slot.starting:
        return  # it is being closed
    draft.leave()
    draft.set(starting=0, serving=event.engine, wanted=False, failure=None)
    if draft.slot.switch is not None:
        draft.effects.append(Done(draft.slot.switch.order))
        draft.set(model=draft.slot.switch.model, switch=None)


def _start_failed(draft: _Draft, event: StartFailed) -> None:
    if event.engine != draft.slot.starting:
        return
    draft.abandon_start()
    draft.set(failure=event.failure, wanted=False)
    if draft.slot.switch is not None:
        draft.effects.append(Fail(draft.slot.switch.order, event.failure))
        draft.go_back()
    else:
        draft.refuse_all(event.failure)


def _died(draft: _Draft, event: Died) -> None:
    if event.engine == draft.slot.starting:
        _start_failed(draft, StartFailed(event.engine, event.failure))
    elif event.engine == draft.slot.serving:
        draft.effects.append(Mourn(event.failure))


def _closed(draft: _Draft, event: Closed) -> None:
    draft.set(
        closing=draft.slot.closing - {event.engine},
        unloads=tuple(u._replace(engines=u.engines - {event.engine}) for u in draft.slot.unloads),
    )


RULES: Mapping[type, Callable[[_Draft, Any], None]] = {
    LeaseAsked: _lease_asked,
    WaiterGone: _waiter_gone,
    LeaseEnded: _lease_ended,
    IdleDue: _idle_due,
    SwitchAsked: _switch_asked,
    UnloadAsked: _unload_asked,
    OrderGone: _order_gone,
    Started: _started,
    StartFailed: _start_failed,
    Died: _died,
    Closed: _closed,
}
