"""Every decision about the engines of a slot: as a table, and in random lives."""

from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.runtime.slot_events import (
    Close,
    Closed,
    Died,
    Done,
    Effect,
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
from agents.runtime.slot_rules import BUSY, STOPPED, Slot, step

NO_FILE = Failure("backend_unavailable", "no such file")

EMPTY = Slot("a")
LOADING = Slot("a", starting=1, waiting=(7, 8), last=1)
RESTING = Slot("a", serving=1, last=1)
BUSY_SLOT = Slot("a", serving=1, leases={1: 2}, last=1)


def after(slot: Slot, *events: Event) -> tuple[Slot, list[Effect]]:
    """The slot after ``events``, and what the last of them asked for."""
    effects: tuple[Effect, ...] = ()
    for event in events:
        slot, effects = step(slot, event)
    return slot, list(effects)


TABLE: dict[str, tuple[Slot, Sequence[Event], list[Effect]]] = {
    "the first lease loads": (EMPTY, [LeaseAsked(7)], [Start(1, "a")]),
    "a second one waits for the same load": (LOADING, [LeaseAsked(9)], []),
    "who waited is served, in order": (LOADING, [Started(1)], [Grant(7, 1), Grant(8, 1)]),
    "a lease is served at once where there is an engine": (
        RESTING, [LeaseAsked(7)], [Grant(7, 1)],
    ),
    "who stops waiting hurts nobody": (LOADING, [WaiterGone(7), Started(1)], [Grant(8, 1)]),
    "a load goes on though nobody waits any more": (
        LOADING, [WaiterGone(7), WaiterGone(8), Started(1)], [Rest()],
    ),
    "who waited is told that it cannot be": (
        LOADING, [StartFailed(1, NO_FILE)], [Close(1), Refuse(7, NO_FILE), Refuse(8, NO_FILE)],
    ),
    "the next lease tries again, once what failed is gone": (
        LOADING, [StartFailed(1, NO_FILE), LeaseAsked(9), Closed(1)], [Start(2, "a")],
    ),
    "the last lease begins the rest": (BUSY_SLOT, [LeaseEnded(1), LeaseEnded(1)], [Rest()]),
    "an earlier one does not": (BUSY_SLOT, [LeaseEnded(1)], []),
    "an idle engine is closed": (RESTING, [IdleDue()], [Close(1)]),
    "one in use is not": (BUSY_SLOT, [IdleDue()], []),
    "one that is to be replaced rests on": (
        RESTING, [SwitchAsked(5, "b", True), IdleDue()], [Rest()],
    ),
    "a lease after an unload loads when the memory is free": (
        RESTING, [IdleDue(), LeaseAsked(7), Closed(1)], [Start(2, "a")],
    ),
    "a switch starts beside what serves": (BUSY_SLOT, [SwitchAsked(5, "b", True)], [Start(2, "b")]),
    "meanwhile the old one serves": (
        BUSY_SLOT, [SwitchAsked(5, "b", True), LeaseAsked(7)], [Grant(7, 1)],
    ),
    "then the new one does": (
        BUSY_SLOT, [SwitchAsked(5, "b", True), Started(2), LeaseAsked(7)], [Grant(7, 2)],
    ),
    "and the order is carried out while others finish": (
        BUSY_SLOT, [SwitchAsked(5, "b", True), Started(2)], [Done(5), Rest()],
    ),
    "the old one is closed by its last lease": (
        BUSY_SLOT,
        [SwitchAsked(5, "b", True), Started(2), LeaseEnded(1), LeaseEnded(1)],
        [Close(1)],
    ),
    "an old one that nobody holds is closed at once": (
        RESTING, [SwitchAsked(5, "b", True), Started(2)], [Done(5), Close(1)],
    ),
    "without room beside, the old one goes first": (
        RESTING, [SwitchAsked(5, "b")], [Close(1)],
    ),
    "and the new one comes when its memory is free": (
        RESTING, [SwitchAsked(5, "b"), Closed(1)], [Start(2, "b")],
    ),
    "nobody is sent away for that": (
        BUSY_SLOT, [SwitchAsked(5, "b"), LeaseAsked(7), LeaseEnded(1)], [],
    ),
    "who asked meanwhile gets the new one": (
        BUSY_SLOT,
        [SwitchAsked(5, "b"), LeaseAsked(7), LeaseEnded(1), LeaseEnded(1), Closed(1), Started(2)],
        [Done(5), Grant(7, 2)],
    ),
    "a new one that fails beside leaves the old one": (
        BUSY_SLOT,
        [SwitchAsked(5, "b", True), StartFailed(2, NO_FILE)],
        [Fail(5, NO_FILE), Close(2)],
    ),
    "one that fails in its place brings the old one back": (
        RESTING,
        [SwitchAsked(5, "b"), Closed(1), StartFailed(2, NO_FILE), Closed(2)],
        [Start(3, "a")],
    ),
    "for those who waited as well": (
        RESTING,
        [SwitchAsked(5, "b"), LeaseAsked(7), Closed(1), StartFailed(2, NO_FILE), Closed(2),
         Started(3)],
        [Grant(7, 3)],
    ),
    "they are told if that fails, too": (
        RESTING,
        [SwitchAsked(5, "b"), LeaseAsked(7), Closed(1), StartFailed(2, NO_FILE), Closed(2),
         StartFailed(3, NO_FILE)],
        [Close(3), Refuse(7, NO_FILE)],
    ),
    "a failed switch of an empty slot leaves it empty": (
        EMPTY, [SwitchAsked(5, "b"), StartFailed(1, NO_FILE), Closed(1)], [],
    ),
    "the model that serves is not loaded again": (RESTING, [SwitchAsked(5, "a")], [Done(5)]),
    "it is if it was unloaded": (EMPTY, [SwitchAsked(5, "a")], [Start(1, "a")]),
    "one switch at a time": (
        RESTING, [SwitchAsked(5, "b", True), SwitchAsked(6, "c", True)], [Fail(6, BUSY)],
    ),
    "and none during a load": (LOADING, [SwitchAsked(5, "b")], [Fail(5, BUSY)]),
    "a switch that nobody waits for is stopped": (
        RESTING, [SwitchAsked(5, "b", True), OrderGone(5)], [Close(2)],
    ),
    "and the old one serves on, if it still stands": (
        BUSY_SLOT, [SwitchAsked(5, "b"), LeaseAsked(7), OrderGone(5)], [Grant(7, 1)],
    ),
    "or comes back": (
        RESTING, [SwitchAsked(5, "b"), Closed(1), OrderGone(5), Closed(2)], [Start(3, "a")],
    ),
    "another order that is gone changes nothing": (
        RESTING, [SwitchAsked(5, "b", True), OrderGone(6)], [],
    ),
    "a start that was stopped counts for nothing": (
        RESTING, [SwitchAsked(5, "b", True), OrderGone(5), Started(2)], [],
    ),
    "an unload closes what nobody holds": (RESTING, [UnloadAsked(5)], [Close(1)]),
    "and is done when the memory is free": (RESTING, [UnloadAsked(5), Closed(1)], [Done(5)]),
    "it waits for those who are served": (
        BUSY_SLOT, [UnloadAsked(5), LeaseEnded(1), LeaseEnded(1)], [Close(1)],
    ),
    "an unload of nothing is done": (EMPTY, [UnloadAsked(5)], [Done(5)]),
    "an unload stops a load": (
        LOADING, [UnloadAsked(5)], [Refuse(7, STOPPED), Refuse(8, STOPPED), Close(1)],
    ),
    "and a switch": (
        RESTING, [SwitchAsked(4, "b", True), UnloadAsked(5)], [Fail(4, STOPPED), Close(2), Close(1)],
    ),
    "an engine that dies while it starts has failed": (
        LOADING, [Died(1, NO_FILE)], [Close(1), Refuse(7, NO_FILE), Refuse(8, NO_FILE)],
    ),
    "one that serves ends the agent": (BUSY_SLOT, [Died(1, NO_FILE)], [Mourn(NO_FILE)]),
    "one that was given up does not": (
        BUSY_SLOT, [SwitchAsked(5, "b", True), Started(2), Died(1, NO_FILE)], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", TABLE)
def test_the_table(row: str) -> None:
    slot, events, expected = TABLE[row]
    _, effects = after(slot, *events)
    assert sorted(effects, key=repr) == sorted(expected, key=repr)


def test_what_a_slot_serves_is_named_by_the_switch_that_succeeded() -> None:
    slot, _ = after(RESTING, SwitchAsked(5, "b", True))
    assert slot.model == "a"
    slot, _ = after(slot, StartFailed(2, NO_FILE))
    assert slot.model == "a"
    slot, _ = after(slot, SwitchAsked(6, "c", True), Started(3))
    assert slot.model == "c"


def test_why_a_start_failed_is_known_until_one_succeeds() -> None:
    slot, _ = after(LOADING, StartFailed(1, NO_FILE), Closed(1))
    assert slot.failure == NO_FILE
    slot, _ = after(slot, LeaseAsked(9), Started(2))
    assert slot.failure is None


class Lives(RuleBasedStateMachine):
    """A slot and its shell, in any order that can happen."""

    def __init__(self) -> None:
        super().__init__()
        self.slot = Slot("a")
        self.numbers = iter(range(1, 1_000_000))
        self.waiting: set[int] = set()
        self.ordered: set[int] = set()
        self.held: list[int] = []
        self.starting: dict[int, bool] = {}
        """Engines that are being started, and whether they may stand beside others."""
        self.alive: set[int] = set()
        self.closing: set[int] = set()
        self.gone: set[int] = set()
        self.beside = False

    def feed(self, event: Event) -> None:
        self.slot, effects = step(self.slot, event)
        for effect in effects:
            self.perform(effect)

    def perform(self, effect: Effect) -> None:
        match effect:
            case Grant(waiter, engine):
                self.waiting.remove(waiter)
                assert engine == self.slot.serving or self.slot.serving == 0
                assert engine in self.alive
                self.held.append(engine)
            case Refuse(waiter, failure):
                assert failure.code
                self.waiting.remove(waiter)
            case Done(order):
                self.ordered.remove(order)
            case Fail(order, failure):
                assert failure.code
                self.ordered.remove(order)
            case Start(engine, _):
                assert not self.starting
                self.starting[engine] = self.beside
                if not self.beside:
                    assert not self.alive
                    assert not self.closing
            case Close(engine):
                assert engine not in self.held
                assert engine in self.alive or engine in self.starting
                self.alive.discard(engine)
                self.starting.pop(engine, None)
                self.closing.add(engine)

    @rule()
    def ask(self) -> None:
        waiter = next(self.numbers)
        self.waiting.add(waiter)
        self.feed(LeaseAsked(waiter))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def stop_waiting(self, data: st.DataObject) -> None:
        waiter = data.draw(st.sampled_from(sorted(self.waiting)))
        self.waiting.remove(waiter)
        self.feed(WaiterGone(waiter))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def end_a_lease(self, data: st.DataObject) -> None:
        engine = data.draw(st.sampled_from(sorted(self.held)))
        self.held.remove(engine)
        self.feed(LeaseEnded(engine))

    @rule()
    def be_idle(self) -> None:
        self.feed(IdleDue())

    @rule(model=st.sampled_from("abc"), beside=st.booleans())
    def ask_for_a_switch(self, model: str, beside: bool) -> None:
        order = next(self.numbers)
        self.ordered.add(order)
        if not self.slot.is_loading:
            self.beside = beside
        self.feed(SwitchAsked(order, model, beside))

    @rule()
    def ask_for_an_unload(self) -> None:
        order = next(self.numbers)
        self.ordered.add(order)
        self.beside = False
        self.feed(UnloadAsked(order))

    @precondition(lambda self: self.ordered)
    @rule(data=st.data())
    def leave_an_order(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(sorted(self.ordered)))
        self.ordered.remove(order)
        if self.slot.switch is not None and self.slot.switch.order == order:
            self.beside = False
        self.feed(OrderGone(order))

    @precondition(lambda self: self.starting)
    @rule()
    def start_an_engine(self) -> None:
        (engine,) = self.starting
        del self.starting[engine]
        self.alive.add(engine)
        self.beside = False
        self.feed(Started(engine))

    @precondition(lambda self: self.starting)
    @rule(dies=st.booleans())
    def fail_to_start(self, dies: bool) -> None:
        (engine,) = self.starting
        self.beside = False
        self.feed(Died(engine, NO_FILE) if dies else StartFailed(engine, NO_FILE))

    @precondition(lambda self: self.closing)
    @rule(data=st.data())
    def close_an_engine(self, data: st.DataObject) -> None:
        engine = data.draw(st.sampled_from(sorted(self.closing)))
        self.closing.remove(engine)
        self.gone.add(engine)
        self.feed(Closed(engine))

    @precondition(lambda self: self.closing)
    @rule(data=st.data(), started=st.booleans())
    def tell_too_late(self, data: st.DataObject, started: bool) -> None:
        engine = data.draw(st.sampled_from(sorted(self.closing)))
        self.feed(Started(engine) if started else StartFailed(engine, NO_FILE))

    @invariant()
    def what_it_knows_is_so(self) -> None:
        assert dict(self.slot.leases) == {e: self.held.count(e) for e in self.held}
        assert self.slot.closing == self.closing
        assert self.alive == {e for e in (self.slot.serving, *self.slot.leaving) if e}
        assert set(self.slot.waiting) == self.waiting

    @invariant()
    def nobody_waits_while_an_engine_serves(self) -> None:
        assert not (self.waiting and self.slot.serving)

    @invariant()
    def what_leaves_is_held(self) -> None:
        assert self.slot.leaving <= set(self.held)

    @invariant()
    def there_is_always_something_that_ends_the_waiting(self) -> None:
        if self.waiting or self.ordered:
            assert self.starting or self.closing or self.held

    def teardown(self) -> None:
        """Let everything come to its end: then everybody has been answered."""
        for _ in range(10_000):
            if self.held:
                self.feed(LeaseEnded(self.held.pop()))
            elif self.closing:
                engine = self.closing.pop()
                self.feed(Closed(engine))
            elif self.starting:
                self.start_an_engine()
            else:
                break
        assert not self.waiting
        assert not self.ordered
        assert len(self.alive) <= 1


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
