"""I5: an action is executed at most once, and never after its ttl.

As the hub sees it: an id is requested once and done once; it is sent once on a connection, and
again only on a later one, before its ttl has passed and unless it is done.
"""

from collections.abc import Iterator

from hub.trace.entries import Fact, Told
from hub.trace.invariants.base import Finding, Recent, Rules
from protocols.messages.action import ActionDone, ActionRequested
from protocols.messages.robot import Action

REMEMBERED = 4_096
_MS = 1_000_000


class _Life:
    """One action: when it must be done by, where it was sent, whether it is done."""

    __slots__ = ("connection", "done", "due_ns", "requested")

    def __init__(self) -> None:
        self.requested = self.done = False
        self.due_ns = 0
        self.connection = 0


class Actions:
    """See the module."""

    name = "I5"

    def __init__(self) -> None:
        self._actions: Recent[tuple[str, str], _Life] = Recent(REMEMBERED)

    @property
    def rules(self) -> Rules:
        return {
            ActionRequested: self._requested,
            ActionDone: self._done,
            Action: self._sent,
        }

    def hole(self) -> None:
        """What was not seen only makes this less strict."""

    def finish(self) -> Iterator[Finding]:
        yield from ()

    def _life(self, robot: str, action: str) -> _Life:
        life = self._actions.get((robot, action))
        if life is None:
            life = self._actions[robot, action] = _Life()
        return life

    def _requested(self, entry: Fact) -> str | None:
        body = entry.body
        assert isinstance(body, ActionRequested)
        life = self._life(entry.robot, body.id)
        again, life.requested = life.requested, True
        if entry.ttl_ms and not life.due_ns:
            life.due_ns = entry.t_hub_ns + entry.ttl_ms * _MS
        return f"action {body.id} was requested twice" if again else None

    def _done(self, entry: Fact) -> str | None:
        body = entry.body
        assert isinstance(body, ActionDone)
        if not body.ok:
            return None
        life = self._life(entry.robot, body.id)
        again, life.done = life.done, True
        return f"action {body.id} was done twice" if again else None

    def _sent(self, entry: Told) -> str | None:
        body = entry.body
        assert isinstance(body, Action)
        life = self._life(entry.robot, body.id)
        was, life.connection = life.connection, entry.connection
        if not life.due_ns:
            life.due_ns = entry.t_ns + body.ttl_ms * _MS
        if was == entry.connection:
            return f"action {body.id} was sent twice"
        if life.done:
            return f"action {body.id} was sent after it was done"
        if entry.t_ns > life.due_ns:
            late_ms = (entry.t_ns - life.due_ns) // _MS
            return f"action {body.id} was sent {late_ms} ms after its ttl"
        return None
