"""Says in the log that an invariant is broken: each one at most once in a while."""

from collections.abc import Callable

import structlog

from hub.trace.monitor import Violation

QUIET_NS = 10_000_000_000
"""How long an invariant is not mentioned again; the counters go on."""

log = structlog.get_logger()


class Alarm:
    """Logs violations. ``clock`` gives nanoseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._said_ns: dict[str, int] = {}

    def tell(self, violation: Violation) -> None:
        """A violation was found."""
        now, said = self._clock(), self._said_ns.get(violation.invariant)
        if said is not None and now - said < QUIET_NS:
            return
        self._said_ns[violation.invariant] = now
        log.error(
            "invariant broken",
            invariant=violation.invariant,
            robot=violation.robot,
            seen=violation.message,
            chain=list(violation.chain),
        )
