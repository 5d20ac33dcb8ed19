"""Faults of a link as data: what is dropped, doubled and delayed of what a robot sends."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """Probabilities per frame, and delays in milliseconds; ``seed`` makes them repeatable.

    Each copy of a frame is delayed by ``delay_ms`` and up to ``jitter_ms`` more on its own, so
    jitter also changes the order.
    """

    seed: int = 1
    drop: float = 0.0
    duplicate: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0


NO_FAULTS = Faults()


class FaultPlan:
    """The fate of one frame after the other."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._random = random.Random(faults.seed)

    def delays_s(self) -> tuple[float, ...]:
        """When the copies of the next frame are sent, in seconds from now; empty: never."""
        faults = self._faults
        lost, doubled = self._random.random(), self._random.random()
        if lost < faults.drop:
            return ()
        copies = 2 if doubled < faults.duplicate else 1
        return tuple(
            (faults.delay_ms + self._random.random() * faults.jitter_ms) / 1000
            for _ in range(copies)
        )
