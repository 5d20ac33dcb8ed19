"""Of several engines the first that can be started."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from agents.runtime.errors import BackendUnavailable
from agents.runtime.service import Backend

B = TypeVar("B", bound=Backend)


class Candidate(NamedTuple, Generic[B]):
    """An engine that may be chosen. ``make`` builds it, or raises ``BackendUnavailable`` at once;
    ``reason`` says in words why it is taken if it starts."""

    name: str
    make: Callable[[], B]
    reason: str


class Chosen(NamedTuple, Generic[B]):
    """An engine that has started, and why it is the one, with what is wrong with those before it."""

    engine: B
    reason: str


async def first_started(candidates: Sequence[Candidate[B]]) -> Chosen[B]:
    """Start one after the other until one can work.

    Raises:
        BackendUnavailable: none can.
    """
    refusals: list[str] = []
    for candidate in candidates:
        try:
            engine = await started(candidate)
        except BackendUnavailable as error:
            refusals.append(f"{candidate.name}: {error}")
            continue
        return Chosen(engine, "; ".join((candidate.reason, *refusals)))
    raise BackendUnavailable("; ".join(refusals))


async def started(candidate: Candidate[B]) -> B:
    """The engine of ``candidate``, started; closed again if it cannot be.

    Raises:
        BackendUnavailable: it cannot.
    """
    engine = candidate.make()
    try:
        await engine.start()
    except BackendUnavailable:
        await engine.close()
        raise
    return engine
