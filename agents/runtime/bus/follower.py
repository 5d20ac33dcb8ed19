"""An observer's view of the facts: the sequence of every robot without a gap (law I3).

Facts reach observers on a lossy socket. The follower notices by ``(boot, order)`` that some are
missing, holds back what is newer, and says what to ask the hub for. Pure: the caller does the
asking.
"""

from typing import NamedTuple

from protocols.bus import Snapshot
from protocols.envelope import AnyEnvelope

MAX_HELD = 2048
"""Facts of a robot that may wait for a replay; beyond it they are thrown away, and the next
answer is a snapshot."""


class Need(NamedTuple):
    """Facts of ``robot`` after ``(boot, after)`` are missing; with ``after`` -1 all of them are,
    and its snapshot is wanted."""

    robot: str
    boot: int
    after: int


class _Seen:
    __slots__ = ("boot", "held", "order", "overrun", "waiting")

    def __init__(self, boot: int, order: int) -> None:
        self.boot = boot
        self.order = order
        self.waiting = False
        self.overrun = False
        self.held: list[AnyEnvelope] = []


class Follower:
    """Sorts facts into those to hand out now and those that wait for missing ones."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def fact(self, envelope: AnyEnvelope) -> tuple[bool, Need | None]:
        """Whether to hand the fact out now, and what to ask for.

        The first fact of a robot is where its observer begins: the past before it is nobody's
        loss (late joiners ask for a snapshot or a replay themselves).
        """
        if envelope.order == 0:
            return True, None
        seen = self._seen.get(envelope.robot)
        if seen is None:
            self._seen[envelope.robot] = _Seen(envelope.boot, envelope.order)
            return True, None
        if envelope.boot == seen.boot and envelope.order <= seen.order:
            return False, None
        if envelope.boot == seen.boot and envelope.order == seen.order + 1 and not seen.waiting:
            seen.order += 1
            return True, None
        return False, self._hold(seen, envelope)

    def tail(self, robot: str, boot: int, order: int) -> Need | None:
        """The hub says that ``(boot, order)`` was the robot's last fact."""
        seen = self._seen.get(robot)
        if seen is None or seen.waiting or (seen.boot, seen.order) == (boot, order):
            return None
        if seen.boot == boot and seen.order > order:
            return None
        return self._need(robot, seen, boot)

    def replayed(
        self, need: Need, facts: tuple[AnyEnvelope, ...] | None
    ) -> tuple[list[AnyEnvelope], Need | None]:
        """What to hand out now that the hub has answered, and what to ask for next."""
        seen = self._seen[need.robot]
        if facts is None or seen.overrun:
            seen.overrun = False
            return [], Need(need.robot, need.boot, -1)
        if facts:
            seen.boot, seen.order = facts[-1].boot, facts[-1].order
        return self._resume(seen, list(facts))

    def restored(self, robot: str, snapshot: Snapshot) -> tuple[list[AnyEnvelope], Need | None]:
        """As ``replayed``, from a snapshot: its values stand for all that was missed."""
        seen = self._seen[robot]
        new_boot = snapshot.boot != seen.boot
        fresh = [v for v in snapshot.values if new_boot or v.order > seen.order]
        if new_boot or snapshot.order > seen.order:
            seen.boot, seen.order = snapshot.boot, snapshot.order
        return self._resume(seen, fresh)

    def failed(self, robot: str) -> None:
        """The hub could not be asked; the next fact or tail asks again."""
        self._seen[robot].waiting = False

    def _resume(
        self, seen: _Seen, ready: list[AnyEnvelope]
    ) -> tuple[list[AnyEnvelope], Need | None]:
        """Hand out what was held back after ``ready``, as far as it joins on."""
        seen.waiting = False
        held, seen.held = seen.held, []
        need: Need | None = None
        for envelope in held:
            now, ask = self.fact(envelope)
            need = need or ask
            if now:
                ready.append(envelope)
        return ready, need

    def _hold(self, seen: _Seen, envelope: AnyEnvelope) -> Need | None:
        if len(seen.held) < MAX_HELD:
            seen.held.append(envelope)
        else:
            seen.held.clear()
            seen.overrun = True
        return None if seen.waiting else self._need(envelope.robot, seen, envelope.boot)

    def _need(self, robot: str, seen: _Seen, boot: int) -> Need:
        seen.waiting = True
        same = boot == seen.boot
        return Need(robot, boot, seen.order if same else -1)
