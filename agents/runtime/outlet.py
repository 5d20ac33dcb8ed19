"""The way out of an agent: every message leaves under the identity of the scope it belongs to."""

from collections import Counter
from collections.abc import Callable

from agents.runtime.errors import AgentError, UndeclaredOutput
from agents.runtime.service import Scope
from protocols.bus import AgentBus
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.errors import PeerOverrun
from protocols.messages.job import JobFailed
from protocols.messages.turn import TurnFailed


class Outlet:
    """Stamps and publishes. ``drops`` counts, by name, what was thrown away on either way."""

    def __init__(self, bus: AgentBus, clock: Callable[[], int]) -> None:
        self._bus = bus
        self._clock = clock
        self.drops: Counter[str] = Counter()

    def count(self, name: str) -> None:
        """Note that one message was thrown away, and why."""
        self.drops[name] += 1

    def send(
        self, opening: AnyEnvelope, cause: int, message: Message, blob: bytes, t_src_ns: int
    ) -> bool:
        """Publish ``message`` for the scope that ``opening`` began; False if the link gives up."""
        envelope = Envelope(
            cause=cause,
            robot=opening.robot,
            session=opening.session,
            epoch=opening.epoch,
            turn=opening.turn,
            job=opening.job,
            t_src_ns=t_src_ns or self._clock(),
            body=message,
        )
        try:
            self._bus.publish(envelope, blob)
        except PeerOverrun:
            # The bus reports the lost link, which ends this scope.
            self.count("overrun")
            return False
        return True

    def fail(self, scope: Scope, opening: AnyEnvelope, error: AgentError) -> None:
        """Publish the coded end of a scope."""
        failure = JobFailed if scope is Scope.JOB else TurnFailed
        self.send(opening, opening.id, failure(code=error.code, detail=str(error)), b"", 0)


class StampedEmit:
    """The ``emit`` of one scope."""

    def __init__(
        self,
        outlet: Outlet,
        opening: AnyEnvelope,
        produces: frozenset[type[Message]],
        *,
        alive: Callable[[], bool],
        cause: Callable[[], int],
    ) -> None:
        self._outlet = outlet
        self._opening = opening
        self._produces = produces
        self._alive = alive
        self._cause = cause

    def __call__(self, message: Message, blob: bytes = b"", *, t_src_ns: int = 0) -> bool:
        """See ``agents.runtime.service.Emit``."""
        if type(message) not in self._produces:
            raise UndeclaredOutput(f"{type(message).__name__} is not in produces")
        if not self._alive():
            self._outlet.count("stale_output")
            return False
        return self._outlet.send(self._opening, self._cause(), message, blob, t_src_ns)
