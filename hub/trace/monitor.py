"""Checks the invariants entry by entry, live in the hub or over a recording, in bounded memory."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hub.trace.chain import Causes
from hub.trace.entries import Command, Entry, Fact, Said, Told, robot_of
from hub.trace.invariants.actions import Actions
from hub.trace.invariants.base import Invariant, Rule
from hub.trace.invariants.crossing import Crossing
from hub.trace.invariants.epochs import Epochs
from hub.trace.invariants.fences import Fences
from hub.trace.invariants.heard import Heard
from hub.trace.invariants.order import Order
from hub.trace.invariants.queues import Queues
from hub.trace.invariants.turns import Turns

KEPT = 100
"""Violations that are held, with what led to them; all are counted."""

_WITH_BODY = frozenset({Fact, Command, Told, Said})


class Violation(NamedTuple):
    """A broken invariant: what was seen in one sentence, and what led to it, latest first."""

    invariant: str
    robot: str
    message: str
    chain: tuple[str, ...] = ()

    def __str__(self) -> str:
        of = f" of robot {self.robot}" if self.robot else ""
        return f"{self.invariant} is broken{of}: {self.message}"


def all_invariants() -> tuple[Invariant, ...]:
    """A new checker of each."""
    return (Fences(), Epochs(), Order(), Actions(), Queues(), Crossing(), Heard(), Turns())


class Monitor:
    """Takes a trace and says what is wrong with it. ``told`` is called for every violation."""

    def __init__(
        self,
        invariants: Sequence[Invariant] | None = None,
        told: Callable[[Violation], None] = lambda _: None,
    ) -> None:
        self.violations: list[Violation] = []
        """The first ones, in order."""
        self._invariants = tuple(invariants or all_invariants())
        self._told = told
        self._counts = Counter({invariant.name: 0 for invariant in self._invariants})
        self._causes = Causes()
        self._rules: dict[type, tuple[tuple[str, Rule], ...]] = {}
        self._found: dict[type, tuple[tuple[str, Rule], ...]] = {}
        for invariant in self._invariants:
            for kind, rule in invariant.rules.items():
                self._rules[kind] = (*self._rules.get(kind, ()), (invariant.name, rule))

    @property
    def counts(self) -> Mapping[str, int]:
        """Violations so far, by the name of the invariant."""
        return dict(self._counts)

    def take(self, entry: Entry) -> None:
        """The next entry."""
        self._causes.keep(entry)
        kind = type(entry)
        key = type(entry.body) if kind in _WITH_BODY else kind  # type: ignore[attr-defined]
        rules = self._found.get(key)
        if rules is None:
            both = self._rules.get(kind, ()) if key is not kind else ()
            rules = self._found[key] = (*both, *self._rules.get(key, ()))
        for name, rule in rules:
            message = rule(entry)
            if message is not None:
                self._report(name, robot_of(entry), message, entry)

    def hole(self) -> None:
        """Entries are missing before the next one."""
        for invariant in self._invariants:
            invariant.hole()

    def finish(self) -> None:
        """The trace is complete: nothing follows."""
        for invariant in self._invariants:
            for finding in invariant.finish():
                began = self._causes.entry(finding.entry)
                self._report(invariant.name, finding.robot, finding.message, began)

    def _report(self, name: str, robot: str, message: str, entry: Entry | None) -> None:
        self._counts[name] += 1
        is_kept = len(self.violations) < KEPT
        chain = self._causes.chain(entry) if entry is not None and is_kept else ()
        violation = Violation(name, robot, message, chain)
        if is_kept:
            self.violations.append(violation)
        self._told(violation)
