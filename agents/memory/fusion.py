"""One ranking out of several: reciprocal rank fusion. Pure.

G. V. Cormack, C. L. A. Clarke, S. Büttcher: Reciprocal rank fusion outperforms Condorcet and
individual rank learning methods. SIGIR 2009.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

RANK_CONSTANT = 60
"""The paper's k: how little the first place is worth more than the second."""


class Fused(NamedTuple):
    """Something that was ranked, and its score from 0 to 1: 1 is the first of every ranking."""

    item: int
    score: float


def fuse(rankings: Sequence[Sequence[int]], k: int = RANK_CONSTANT) -> list[Fused]:
    """``rankings`` as one, the best first; of equals the one that the earlier ranking prefers.

    The score of an item is the sum of 1 / (k + rank) over the rankings that have it, ranks counted
    from 1, as part of what being first everywhere would give.
    """
    sums: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            sums[item] += 1.0 / (k + rank)
    most = len(rankings) / (k + 1)
    # A dict keeps the order of first sight, and sorting is stable.
    best = sorted(sums.items(), key=lambda pair: -pair[1])
    return [Fused(item, min(1.0, total / most)) for item, total in best]
