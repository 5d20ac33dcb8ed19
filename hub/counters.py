"""Everything that did not go as it should in the hub, counted by name."""

from collections import Counter
from collections.abc import Mapping


class Counters:
    """Counts by name; a name is ``what.why`` and its set is closed by the code that counts."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, name: str, by: int = 1) -> None:
        """Add ``by`` to ``name``."""
        self._counts[name] += by

    def read(self) -> Mapping[str, int]:
        """All counts so far."""
        return dict(self._counts)
