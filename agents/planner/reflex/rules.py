"""What a robot should do next, by rules over its world state: a pure function.

The first rule that has something to say decides; a heartbeat without news changes nothing. Power is
the supervisor's business: no rule speaks of it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from agents.planner.news import QUIET_TRIGGERS, RECENT_EVENTS
from agents.planner.reflex.replies import STILL_MODES
from protocols.plan import DEFAULT_TTL_MS, MIN_TTL_MS, WorldState

OBSTACLE_MM, COLLISION_MM = 450, 250
BALL_CONFIDENCE = 0.6
FRESH_VISION_MS = 500

Action = dict[str, Any]


class Rule(NamedTuple):
    """``applies`` to a world and its news; then these actions are due."""

    name: str
    applies: Callable[[WorldState, tuple[str, ...]], bool]
    actions: Callable[[WorldState], list[Action]]


def decide(world: WorldState, max_actions: int) -> dict[str, Any]:
    """The plan for ``world``: ``{"actions": […], "ttl_ms": …}``."""
    news = _news(world)
    rule = next((rule for rule in RULES if rule.applies(world, news)), None)
    actions = rule.actions(world) if rule is not None else []
    able = [action for action in actions if _is_due(action, world)]
    if not news and not any(action["action"] == "skill" for action in able):
        able = []
    return {
        "actions": able[:max_actions],
        "ttl_ms": DEFAULT_TTL_MS if able else MIN_TTL_MS,
    }


def _news(world: WorldState) -> tuple[str, ...]:
    """What happened, latest first: the trigger, unless it is the clock, then the recent events."""
    trigger = world.trigger.strip().lower()
    told = () if trigger in QUIET_TRIGGERS else (trigger,)
    return (*told, *(event.lower() for event in reversed(world.recent_events[-RECENT_EVENTS:])))


def _is_due(action: Action, world: WorldState) -> bool:
    match action["action"]:
        case "skill":
            still = world.mode.strip().upper() in STILL_MODES
            return not still and action["name"] != world.planner_active_skill
        case "say":
            return not (world.face_talking or world.face_listening)
    return True


def _latest(news: tuple[str, ...], wanted: str, undone_by: str) -> bool:
    """Whether ``wanted`` happened and was not undone since."""
    for event in news:
        if undone_by and undone_by in event:
            return False
        if wanted in event:
            return True
    return False


def _is_broken(world: WorldState, news: tuple[str, ...]) -> bool:
    return bool(world.faults) or _latest(news, "fault.raised", "fault.cleared")


def _is_blocked(world: WorldState, news: tuple[str, ...]) -> bool:
    return 0 < world.range_mm < OBSTACLE_MM or _latest(news, "obstacle_close", "obstacle_cleared")


def _was_pressed(world: WorldState, news: tuple[str, ...]) -> bool:
    return any("button" in event and "release" not in event for event in news)


def _was_touched(world: WorldState, news: tuple[str, ...]) -> bool:
    return any("touch" in event and "release" not in event for event in news)


def _sees_ball(world: WorldState, news: tuple[str, ...]) -> bool:
    sure = world.ball_detected and world.ball_confidence >= BALL_CONFIDENCE
    fresh = world.vision_age_ms <= FRESH_VISION_MS
    told = _latest(news, "ball_seen", "ball_lost") or _latest(news, "ball_acquired", "ball_lost")
    return told and sure and fresh


def _lost_ball(world: WorldState, news: tuple[str, ...]) -> bool:
    return not world.ball_detected and _latest(news, "ball_lost", "ball_acquired")


def _emote(name: str, intensity: float) -> Action:
    return {"action": "emote", "name": name, "intensity": intensity}


def _skill(name: str) -> Action:
    return {"action": "skill", "name": name}


def _gesture(name: str, **params: float) -> Action:
    return {"action": "gesture", "name": name, "params": params}


def _get_clear(world: WorldState) -> list[Action]:
    if 0 < world.range_mm < COLLISION_MM:
        return [_emote("scared", 0.5), _skill("retreat_and_recover")]
    return [_emote("surprised", 0.4), _skill("avoid_obstacle")]


def _greet(world: WorldState) -> list[Action]:
    hello = {"action": "say", "text": "Hello there!"}
    return [_emote("happy", 0.7), _skill("greet_on_button"), hello]


def _chase_ball(world: WorldState) -> list[Action]:
    look = _gesture("look_at", bearing=world.ball_bearing_deg)
    still = world.mode.strip().upper() in STILL_MODES
    return [_emote("excited", 0.8), *([] if still else [look]), _skill("investigate_ball")]


RULES = (
    Rule("broken", _is_broken, lambda _: [_emote("confused", 0.6)]),
    Rule("blocked", _is_blocked, _get_clear),
    Rule("pressed", _was_pressed, _greet),
    Rule("ball", _sees_ball, _chase_ball),
    Rule("ball lost", _lost_ball, lambda _: [_emote("curious", 0.5), _skill("scan_for_target")]),
    Rule("touched", _was_touched, lambda _: [_emote("happy", 0.6), _gesture("blink")]),
)
