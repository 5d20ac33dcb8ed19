"""Which message belongs to which scope, and which scopes are over. Pure."""

from collections import OrderedDict

from agents.runtime.service import Scope
from protocols.envelope import AnyEnvelope

Key = tuple[str, str | int]

JOBS_REMEMBERED = 1_024
"""Jobs come in no order of their numbers, so the finished ones are kept by number, the latest."""


def key_of(scope: Scope, envelope: AnyEnvelope) -> Key:
    """What tells two scopes of one service apart."""
    match scope:
        case Scope.TURN:
            return envelope.robot, envelope.turn
        case Scope.SESSION:
            return envelope.robot, envelope.session
        case Scope.JOB:
            return "", envelope.job


def is_older(envelope: AnyEnvelope, opening: AnyEnvelope) -> bool:
    """Whether a message comes from an earlier connection than the one a scope was opened for."""
    return 0 < envelope.epoch < opening.epoch


class Opened:
    """What a service has opened so far, in bounded space: a finished scope stays finished.

    Turns of a robot come in order, so its highest one says it all. A session may come back, on
    the connection it had or on a newer one, but never on an older one.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._highest: dict[str, int] = {}
        self._jobs: OrderedDict[int, None] = OrderedDict()

    def enter(self, envelope: AnyEnvelope) -> bool:
        """Note an opening command; False if its scope was opened before and must not return."""
        if self._scope is Scope.JOB:
            return self._enter_job(envelope.job)
        robot, highest = envelope.robot, self._highest.get(envelope.robot, 0)
        number = envelope.turn if self._scope is Scope.TURN else envelope.epoch
        if number < highest or (number == highest and self._scope is Scope.TURN and number):
            return False
        self._highest[robot] = number
        return True

    def forget_jobs(self) -> None:
        """Another run of the hub may follow, and it numbers its jobs from the beginning."""
        self._jobs.clear()

    def _enter_job(self, job: int) -> bool:
        if job in self._jobs:
            return False
        self._jobs[job] = None
        if len(self._jobs) > JOBS_REMEMBERED:
            self._jobs.popitem(last=False)
        return True
