"""What happens to a slot, and what it has done about it: the words of ``slot_rules.py``."""

from dataclasses import dataclass
from typing import NamedTuple

Engine = int
"""Engines are numbered from 1 in the order of their starts; 0 is none."""


class Failure(NamedTuple):
    """A coded reason."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class LeaseAsked:
    """Somebody wants to be served."""

    waiter: int


@dataclass(frozen=True, slots=True)
class WaiterGone:
    """Somebody who waits does so no longer."""

    waiter: int


@dataclass(frozen=True, slots=True)
class LeaseEnded:
    """Somebody needs the engine no longer."""

    engine: Engine


@dataclass(frozen=True, slots=True)
class IdleDue:
    """The time without a lease is over."""


@dataclass(frozen=True, slots=True)
class SwitchAsked:
    """From now on ``model`` shall serve; its engine may start ``beside`` the old one, or must wait
    until that one's memory is free."""

    order: int
    model: str
    beside: bool = False


@dataclass(frozen=True, slots=True)
class UnloadAsked:
    """No engine shall be in memory until somebody asks for one."""

    order: int


@dataclass(frozen=True, slots=True)
class OrderGone:
    """Nobody waits for the order any more: a switch that is under way goes back."""

    order: int


@dataclass(frozen=True, slots=True)
class Started:
    """An engine is ready."""

    engine: Engine


@dataclass(frozen=True, slots=True)
class StartFailed:
    """An engine cannot be started."""

    engine: Engine
    failure: Failure


@dataclass(frozen=True, slots=True)
class Died:
    """An engine ended by itself."""

    engine: Engine
    failure: Failure


@dataclass(frozen=True, slots=True)
class Closed:
    """An engine is out of memory."""

    engine: Engine


Event = (
    LeaseAsked
    | WaiterGone
    | LeaseEnded
    | IdleDue
    | SwitchAsked
    | UnloadAsked
    | OrderGone
    | Started
    | StartFailed
    | Died
    | Closed
)


@dataclass(frozen=True, slots=True)
class Grant:
    """Serve a waiter."""

    waiter: int
    engine: Engine


@dataclass(frozen=True, slots=True)
class Refuse:
    """Fail a waiter."""

    waiter: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Start:
    """Make an engine and start it."""

    engine: Engine
    model: str


@dataclass(frozen=True, slots=True)
class Close:
    """Free an engine, in the middle of its start if it has not come further."""

    engine: Engine


@dataclass(frozen=True, slots=True)
class Rest:
    """Nobody holds the engine: count its idle time from now on."""


@dataclass(frozen=True, slots=True)
class Done:
    """An order is carried out."""

    order: int


@dataclass(frozen=True, slots=True)
class Fail:
    """An order cannot be carried out."""

    order: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Mourn:
    """An engine that people are served by is gone."""

    failure: Failure


Effect = Grant | Refuse | Start | Close | Rest | Done | Fail | Mourn
