"""How memories fade, return and make room for each other. Pure; all times are wall clock, in
seconds, since a memory outlives the machine's uptime.

Strength after t seconds without a reminder is ``max(floor, initial × e^(−λt))``.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

FULL = 1.0
"""Strength of what was noted just now, for the first time or again."""


class Tier(NamedTuple):
    """How one category fades: λ per second, the strength it never falls below, and how many of it
    a robot remembers."""

    decay_lambda: float
    floor: float
    most: int


TIERS: Mapping[str, Tier] = {
    "name": Tier(0.0, 1.0, 1),
    "ritual": Tier(8.91e-8, 0.10, 5),
    "topic": Tier(3.82e-7, 0.0, 20),
    "tone": Tier(1.15e-6, 0.0, 3),
    "preference": Tier(2.01e-6, 0.0, 10),
}
"""Half-lives: a ritual 90 days, a topic 21, a tone 7, a preference 4; a name never fades."""

MOST_IN_ALL = 50


@dataclass(frozen=True, slots=True)
class Memory:
    """An entry. ``decay_lambda`` is that of its tier when it was noted."""

    tag: str
    category: str
    created_s: float
    reinforced_s: float
    valence_bias: float = 0.0
    arousal_bias: float = 0.0
    initial_strength: float = FULL
    reinforcements: int = 0
    decay_lambda: float = 0.0
    source: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same memory when it is noted again."""
        return self.category, self.tag


def strength(memory: Memory, now_s: float, tiers: Mapping[str, Tier] = TIERS) -> float:
    """How strong ``memory`` is, 0 to 1. A clock that was set back makes nothing stronger."""
    tier = tiers.get(memory.category)
    floor = tier.floor if tier is not None else 0.0
    age_s = max(0.0, now_s - memory.reinforced_s)
    faded = memory.initial_strength * math.exp(-memory.decay_lambda * age_s)
    return min(FULL, max(floor, faded))


def by_strength(
    memories: Iterable[Memory], now_s: float, tiers: Mapping[str, Tier] = TIERS
) -> list[Memory]:
    """``memories``, the strongest first, of equals the one that was noted last."""
    return sorted(memories, key=lambda m: (-strength(m, now_s, tiers), -m.reinforced_s, m.key))


def noted(
    memories: Iterable[Memory],
    new: Memory,
    now_s: float,
    tiers: Mapping[str, Tier] = TIERS,
    most_in_all: int = MOST_IN_ALL,
) -> tuple[Memory, ...]:
    """``memories`` with ``new``, whose category is one of ``tiers``. One that is there already is
    reinforced: it is as strong as at first, and counts the reminder. Where its tier or the whole is
    full, the weakest makes room, and never ``new``."""
    kept = {memory.key: memory for memory in memories}
    old = kept.pop(new.key, None)
    now = new if old is None else _reinforced(old, new, now_s)
    others = by_strength(kept.values(), now_s, tiers)
    siblings = [memory for memory in others if memory.category == new.category]
    evicted = {memory.key for memory in siblings[max(0, tiers[new.category].most - 1) :]}
    left = [memory for memory in others if memory.key not in evicted]
    return (now, *left[: max(0, most_in_all - 1)])


def _reinforced(old: Memory, new: Memory, now_s: float) -> Memory:
    return replace(
        new,
        created_s=old.created_s,
        reinforced_s=max(now_s, old.reinforced_s),
        reinforcements=old.reinforcements + 1,
    )
