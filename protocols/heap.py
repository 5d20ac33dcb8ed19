"""The heap of a process: what lives for ever stays out of the collector's way.

A full collection stalls the loop for as long as it takes to walk everything that is alive, which is
some 10 ms for every library that a process has loaded.
"""

import gc
import sys

YOUNG = 3_000
"""So many new objects are looked through together, where Python 3.11's own 700 would find most of a request
still alive and keep it for the next generation, whose collections take a millisecond."""


class Heap:
    """Modules are what is known to stay: each time some were loaded, all that is alive is settled."""

    def __init__(self) -> None:
        self._settled = 0
        self._seen = 0

    def settle(self) -> None:
        """Everything that lives for ever is alive now: it is never looked at again."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
        self._settled = self._seen = len(sys.modules)

    def look(self) -> None:
        """Settle again if something was loaded since, and nothing more was since the last look.
        Call it now and then; before ``settle`` it does nothing."""
        modules = len(sys.modules)
        if self._settled and modules == self._seen != self._settled:
            self.settle()
        self._seen = modules
