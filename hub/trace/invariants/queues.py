"""I6: every queue stays within its bound."""

from collections.abc import Iterator

from hub.trace.entries import Depth
from hub.trace.invariants.base import Finding, Rules


class Queues:
    """See the module."""

    name = "I6"

    @property
    def rules(self) -> Rules:
        return {Depth: self._depth}

    def hole(self) -> None:
        """Each entry speaks for itself."""

    def finish(self) -> Iterator[Finding]:
        yield from ()

    def _depth(self, entry: Depth) -> str | None:
        if entry.depth <= entry.bound:
            return None
        of = f" of {entry.owner}" if entry.owner else ""
        return f"{entry.depth} wait in {entry.queue}{of}, its bound is {entry.bound}"
