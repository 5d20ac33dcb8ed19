"""Turns and worlds that planner tests start from."""

from typing import Any

from protocols.messages.turn import Exchange, TurnStart
from protocols.plan import WorldState
from protocols.vocabulary import EMOTIONS, GESTURES, SKILLS


def turn(text: str = "hello", *history: Exchange, **fields: Any) -> TurnStart:
    """A turn of a robot that can do everything."""
    able = {"emotions": EMOTIONS, "gestures": GESTURES, "skills": SKILLS}
    return TurnStart(user_text=text, history=history, **(able | fields))


def said(user: str, robot: str = "Okay.", number: int = 1, **fields: Any) -> Exchange:
    return Exchange(turn=number, user=user, robot=robot, **fields)


def world(**fields: Any) -> WorldState:
    """A robot that wanders about and has nothing to report."""
    quiet = {
        "robot_id": "robot1", "seq": 1, "monotonic_ts_ms": 5, "mode": "WANDER", "range_mm": 2000,
    }  # fmt: skip
    return WorldState.model_validate(quiet | fields)
