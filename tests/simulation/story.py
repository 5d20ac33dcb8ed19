"""What happened, in order: for people to read, and as a hash that two runs of a seed share."""

import asyncio
import hashlib
from collections import deque

from hub.trace.monitor import Violation
from tests.virtual_time import START_S

_KEPT = 4_000
_CHAIN = 12


class Story:
    """Takes notes. A violation is noted once per invariant and robot: the first one counts."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self._lines: deque[tuple[float, str, object]] = deque(maxlen=_KEPT)
        self._hash = hashlib.blake2b(digest_size=8)
        self._broken: set[tuple[str, str]] = set()

    def note(self, who: str, what: object) -> None:
        """Something happened to ``who``. ``what`` must read the same in every run of a seed."""
        line = (round(asyncio.get_running_loop().time() - START_S, 6), who, what)
        self._lines.append(line)
        self._hash.update(repr(line).encode())

    def violated(
        self, invariant: str, robot: str, message: str, chain: tuple[str, ...] = ()
    ) -> None:
        """``invariant`` does not hold for ``robot``; ``chain`` led to it, as far as is known."""
        if (invariant, robot) in self._broken:
            return
        self._broken.add((invariant, robot))
        chain = chain or tuple(reversed(self.lines(robot)[-_CHAIN:]))
        self.note(robot or "hub", f"VIOLATED {invariant}: {message}")
        self.violations.append(Violation(invariant, robot, message, chain))

    def found(self, violation: Violation) -> None:
        """The monitor has found a violation."""
        self.violated(*violation)

    def lines(self, robot: str = "") -> list[str]:
        """The story so far, or what of it concerns a robot and the hub."""
        strangers = set() if not robot else {who for _, who, _ in self._lines if "." in who}
        return [
            f"{at:9.4f}  {who:8}  {what}"
            for at, who, what in self._lines
            if not robot or who == robot or who in ("hub", "fault") or who in strangers
        ]

    @property
    def digest(self) -> str:
        """The hash of everything that was noted."""
        return self._hash.hexdigest()
