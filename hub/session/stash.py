"""Conversations that are kept for robots that are away, counted. Pure."""

from collections.abc import Collection


class Stash:
    """How many robots are away whose conversation is kept (``stashed``), how many came back to theirs
    (``hits``), and of how many it was forgotten (``expired``), in this run of the hub."""

    def __init__(self) -> None:
        self._kept: frozenset[str] = frozenset()
        self.hits = 0
        self.expired = 0

    @property
    def stashed(self) -> int:
        """See the class."""
        return len(self._kept)

    @property
    def kept(self) -> frozenset[str]:
        """The robots that are counted."""
        return self._kept

    def came(self, robot: str, found: bool) -> None:
        """A robot is here again; ``found``: so is its conversation."""
        if robot in self._kept:
            self._kept -= {robot}
            self.hits += found
            self.expired += not found

    def left(self, robot: str, spoke: bool) -> None:
        """A robot is away; ``spoke``: there is a conversation to be kept."""
        if spoke:
            self._kept |= {robot}

    def looked(
        self, before: frozenset[str], on_disk: Collection[str], here: Collection[str]
    ) -> None:
        """The store has forgotten what is too old. ``before`` is ``kept`` as it was then, ``on_disk``
        is what the store still keeps, ``here`` are robots that are connected now."""
        gone = (before & self._kept).difference(on_disk)
        self.expired += len(gone)
        self._kept = (self._kept - gone) | frozenset(on_disk).difference(here)
