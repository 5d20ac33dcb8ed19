"""Plans that a model has made before, for situations that are the same for all a plan can do.

Pure: the clock is an argument. Two worlds are one situation if they differ in identity, in time and
within the steps below; the steps are where a robot's own rules change their mind (contracts of the
supervisor: it slows down at 500 and 300 mm, takes 450 mm for an obstacle and 650 mm for none).
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from agents.planner.news import RECENT_EVENTS, events_of
from protocols.messages.job import PlanDone
from protocols.plan import WorldState
from protocols.vocabulary import BODY_GESTURES

MAX_PLANS = 128
TTL_S = 60.0
"""Long enough for a button that is pressed again, short enough not to become a habit."""

RANGE_MM = (1, 250, 300, 450, 500, 650, 1000, 2000)
CONFIDENCE = (0.0, 0.3, 0.6, 0.8)
BEARING_DEG = (-60.0, -20.0, -5.0, 5.0, 20.0, 60.0)
VISION_AGE_MS = (0.0, 500.0)
SPEED_MM_S = (-50, 50)


def situation(world: WorldState, max_actions: int) -> Hashable:
    """What a plan for ``world`` depends on."""
    return (
        max_actions,
        world.trigger.strip().lower(),
        world.mode.strip().upper(),
        frozenset(world.faults),
        events_of(world)[-RECENT_EVENTS:],
        world.planner_active_skill,
        world.face_talking,
        world.face_listening,
        world.ball_detected,
        _step(world.range_mm, RANGE_MM),
        _step(world.clear_confidence, CONFIDENCE),
        _step(world.ball_confidence, CONFIDENCE),
        _step(world.ball_bearing_deg, BEARING_DEG),
        _step(world.vision_age_ms, VISION_AGE_MS),
        _step(world.speed_l_mm_s, SPEED_MM_S),
        _step(world.speed_r_mm_s, SPEED_MM_S),
        _step(world.v_capped, SPEED_MM_S),
        _step(world.w_capped, SPEED_MM_S),
    )


def may_be_repeated(plan: PlanDone) -> bool:
    """Whether ``plan`` holds nothing whose time is now: what moves the body hangs on where the
    robot is at this moment, and is thought of anew."""
    return not any(
        action["action"] == "skill"
        or (action["action"] == "gesture" and action["name"] in BODY_GESTURES)
        for action in plan.actions
    )


class _Kept(NamedTuple):
    plan: PlanDone
    until: float


class PlanCache:
    """At most ``MAX_PLANS`` plans, each for ``TTL_S`` seconds; the longest unused goes first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def get(self, key: Hashable, now: float) -> PlanDone | None:
        """The plan for a situation, None if there is none or it is too old."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if now >= kept.until:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return kept.plan

    def put(self, key: Hashable, plan: PlanDone, now: float) -> None:
        """Keep ``plan``, if it may be repeated."""
        if not may_be_repeated(plan):
            return
        self._kept[key] = _Kept(plan, now + TTL_S)
        self._kept.move_to_end(key)
        if len(self._kept) > MAX_PLANS:
            self._kept.popitem(last=False)


def _step(value: float, edges: Sequence[float]) -> int:
    """Between which of ``edges`` a number lies; NaN lies above all."""
    return bisect_right(edges, value)
