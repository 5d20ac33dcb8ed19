"""How memories fade, return and make room."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.memory.decay import (
    FULL,
    MOST_IN_ALL,
    TIERS,
    Memory,
    Tier,
    by_strength,
    noted,
    strength,
)

DAY_S = 86_400.0
CATEGORIES = st.sampled_from(sorted(TIERS))
TAGS = st.sampled_from([f"tag {n}" for n in range(30)])
STEPS = st.lists(st.tuples(CATEGORIES, TAGS, st.floats(-1e5, 1e7)), max_size=60)


def memory(category: str, tag: str = "red ball", at_s: float = 0.0) -> Memory:
    return Memory(tag, category, at_s, at_s, decay_lambda=TIERS[category].decay_lambda)


def lived(steps: list[tuple[str, str, float]]) -> tuple[tuple[Memory, ...], float]:
    """Memories after notes at intervals; a clock may be set back."""
    memories: tuple[Memory, ...] = ()
    now_s = 0.0
    for category, tag, pause_s in steps:
        now_s += pause_s
        memories = noted(memories, memory(category, tag, now_s), now_s)
    return memories, now_s


def test_the_tiers_are_those_of_the_specification() -> None:
    assert TIERS == {
        "name": (0.0, 1.0, 1),
        "ritual": (8.91e-8, 0.10, 5),
        "topic": (3.82e-7, 0.0, 20),
        "tone": (1.15e-6, 0.0, 3),
        "preference": (2.01e-6, 0.0, 10),
    }
    assert MOST_IN_ALL == 50


@pytest.mark.parametrize(
    ("category", "half_life_days"), [("ritual", 90), ("topic", 21), ("tone", 7), ("preference", 4)]
)
def test_half_of_the_strength_is_gone_after_the_half_life(
    category: str, half_life_days: float
) -> None:
    left = strength(memory(category), half_life_days * DAY_S)
    assert left == pytest.approx(0.5, abs=0.01)


@given(CATEGORIES, st.floats(0, 1e12))
def test_strength_stays_between_floor_and_full(category: str, age_s: float) -> None:
    left = strength(memory(category), age_s)
    assert TIERS[category].floor <= left <= FULL
    faded = math.exp(-TIERS[category].decay_lambda * age_s)
    assert left == pytest.approx(max(TIERS[category].floor, faded))


@given(CATEGORIES, st.floats(0, 1e9), st.floats(0, 1e9))
def test_strength_never_grows_by_itself(category: str, earlier: float, more: float) -> None:
    assert strength(memory(category), earlier + more) <= strength(memory(category), earlier)


def test_a_clock_that_was_set_back_makes_nothing_stronger() -> None:
    assert strength(memory("tone", at_s=1_000.0), 0.0) == FULL


@given(STEPS)
def test_no_tier_and_no_robot_ever_holds_more_than_it_may(
    steps: list[tuple[str, str, float]],
) -> None:
    memories, _ = lived(steps)
    assert len(memories) <= MOST_IN_ALL
    for category, tier in TIERS.items():
        assert sum(one.category == category for one in memories) <= tier.most
    assert len({one.key for one in memories}) == len(memories)


@given(STEPS, CATEGORIES, TAGS)
def test_what_was_noted_last_is_there_and_at_full_strength(
    steps: list[tuple[str, str, float]], category: str, tag: str
) -> None:
    memories, now_s = lived(steps)
    after = noted(memories, memory(category, tag, now_s), now_s)
    (kept,) = [one for one in after if one.key == (category, tag)]
    assert strength(kept, now_s) == FULL


def test_a_reminder_counts_and_keeps_when_it_began() -> None:
    once = noted((), memory("topic", at_s=0.0), 0.0)
    (twice,) = noted(once, memory("topic", at_s=30 * DAY_S), 30 * DAY_S)
    assert (twice.reinforcements, twice.created_s) == (1, 0.0)
    assert strength(twice, 30 * DAY_S) == FULL


def test_the_weakest_of_a_full_tier_makes_room() -> None:
    tones = [memory("tone", f"tone {n}", at_s=n * DAY_S) for n in range(3)]
    after = noted(tones, memory("tone", "tone 3", at_s=3 * DAY_S), 3 * DAY_S)
    assert {one.tag for one in after} == {"tone 1", "tone 2", "tone 3"}


def test_a_new_name_replaces_the_old_one() -> None:
    after = noted([memory("name", "anna")], memory("name", "ben", at_s=1.0), 1.0)
    assert [one.tag for one in after] == ["ben"]


def test_the_weakest_of_all_makes_room_where_the_whole_is_full() -> None:
    tiers = {"topic": Tier(1e-6, 0.0, 9), "tone": Tier(1e-5, 0.0, 9)}
    old = [memory("topic", f"topic {n}") for n in range(3)] + [memory("tone", "fades fast")]
    after = noted(old, memory("topic", "new", at_s=DAY_S), DAY_S, tiers, most_in_all=4)
    assert "fades fast" not in {one.tag for one in after}
    assert len(after) == 4


def test_the_strongest_comes_first() -> None:
    ordered = by_strength([memory("preference"), memory("name", "anna"), memory("topic")], DAY_S)
    assert [one.category for one in ordered] == ["name", "topic", "preference"]
