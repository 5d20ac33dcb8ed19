"""Whether memory stays flat in processes that are killed and started again.

Of each kind, the largest process of the run's last third must be about as large as that of the
first. How fast processes grow within a life is told beside it; a young one still fills what is
bounded, so that it says little by itself. What counts is memory that a process shares with nobody:
its share of a common page changes whenever a neighbour comes or goes.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

WARM_UP_S = 10.0
"""A younger process still loads what it needs."""
MOST_GROWTH = 1.2
SLACK_MIB = 4.0
_SHORTEST_LIFE = 3
"""A life of fewer samples says nothing about growth."""


def private_mib(pid: int) -> float:
    """The process's own memory.

    Raises:
        OSError: it is gone.
    """
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kib) for kib in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.M)) / 1024


class Sample(NamedTuple):
    """The memory of a process of the kind ``name`` at one moment of the run."""

    name: str
    pid: int
    at_s: float
    mib: float


class Growth(NamedTuple):
    """What a kind of process takes: by how much it grows within a life, and its peaks in the first
    and in the last third of the run."""

    mib_per_minute: float
    first_mib: float
    last_mib: float
    lives: int

    @property
    def flat(self) -> bool:
        """Whether the end is no worse than the beginning."""
        return self.last_mib <= self.first_mib * MOST_GROWTH + SLACK_MIB


def growth(samples: Iterable[Sample]) -> dict[str, Growth]:
    """By kind; the slope is one for all lives: least squares with an offset for each."""
    samples = list(samples)
    end_s = max((sample.at_s for sample in samples), default=0.0)
    kinds: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        kinds[sample.name].append(sample)
    return {name: _growth(of_kind, end_s) for name, of_kind in kinds.items()}


def _growth(samples: list[Sample], end_s: float) -> Growth:
    lives: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        lives[sample.pid].append(sample)
    first = [sample.mib for sample in samples if sample.at_s <= end_s / 3]
    last = [sample.mib for sample in samples if sample.at_s >= end_s * 2 / 3]
    return Growth(
        _slope(lives.values()), max(first, default=0.0), max(last, default=0.0), len(lives)
    )


def _slope(lives: Iterable[list[Sample]]) -> float:
    """MiB a minute."""
    products = squares = 0.0
    for life in lives:
        warm = [sample for sample in life if sample.at_s - life[0].at_s >= WARM_UP_S]
        if len(warm) < _SHORTEST_LIFE:
            continue
        mean_s = sum(sample.at_s for sample in warm) / len(warm)
        mean_mib = sum(sample.mib for sample in warm) / len(warm)
        products += sum((s.at_s - mean_s) * (s.mib - mean_mib) for s in warm)
        squares += sum((s.at_s - mean_s) ** 2 for s in warm)
    return 60 * products / squares if squares else 0.0
