"""When long work holds: while robots are being answered. Pure; times are nanoseconds.

It holds at once and goes on a moment after the last answer was made, so that it does not flap
between two phrases of a conversation. Nothing can hold it for ever: one answer counts for so long
at most, and after a long stretch it gets a moment whatever happens.
"""

_NS = 1_000_000_000
LINGER_NS = _NS // 4
"""How long it goes on to hold after the last answer was made."""
ANSWER_NS = 30 * _NS
"""How long one answer counts: its end may never be told."""
STRETCH_NS = 20 * _NS
"""Longest time that work holds without a rest."""
REST_NS = 2 * _NS
"""How long it is left alone after that."""


class Hold:
    """See the module. ``read`` says whether work holds now, ``due_ns`` when to read again at the
    latest."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}
        self._held = False
        self._held_from = 0
        self._quiet_from: int | None = None
        self._rest_until = 0

    def answering(self, robot: str, now_ns: int) -> None:
        """A robot's user has spoken and is being answered."""
        self._since.setdefault(robot, now_ns)

    def answered(self, robot: str) -> None:
        """The answer was made, or there will be none."""
        self._since.pop(robot, None)

    def read(self, now_ns: int) -> bool:
        """Whether work holds at ``now_ns``, which never goes back."""
        self._since = {r: ns for r, ns in self._since.items() if now_ns - ns < ANSWER_NS}
        if self._held:
            self._consider_release(now_ns)
        elif self._since and now_ns >= self._rest_until:
            self._held, self._held_from, self._quiet_from = True, now_ns, None
        return self._held

    @property
    def due_ns(self) -> int | None:
        """When time alone may change it; None if it cannot."""
        due = [since + ANSWER_NS for since in self._since.values()]
        if self._held:
            due.append(self._held_from + STRETCH_NS)
            if self._quiet_from is not None:
                due.append(self._quiet_from + LINGER_NS)
        elif self._since:
            due.append(self._rest_until)
        return min(due, default=None)

    def _consider_release(self, now_ns: int) -> None:
        if self._since:
            self._quiet_from = None
        elif self._quiet_from is None:
            self._quiet_from = now_ns
        if now_ns - self._held_from >= STRETCH_NS:
            self._held, self._rest_until = False, now_ns + REST_NS
        elif self._quiet_from is not None and now_ns - self._quiet_from >= LINGER_NS:
            self._held = False
