"""World state and plan: what a robot tells of itself, and the closed set of what it may be told.

Pydantic, because both come from outside: an HTTP body and a model's answer. The field names and
limits are those of the robot-buddy planner API.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from protocols.vocabulary import EMOTIONS, GESTURE_ALIASES, GESTURES, SKILLS, emotion_or_neutral

MAX_SAY_CHARS = 200
MAX_ACTIONS = 5
MIN_TTL_MS, DEFAULT_TTL_MS, MAX_TTL_MS = 500, 2000, 5000


class Power(BaseModel):
    """How the robot is fed."""

    source: Literal["unknown", "usb", "battery", "ac_charging"] = "unknown"
    voltage_mv: int = 0
    soc_pct: int = -1
    charging: bool = False
    ac_present: bool = False
    pmic_undervoltage: bool = False


class WorldState(BaseModel):
    """What a robot knows of itself and its surroundings; body of ``POST /plan``."""

    model_config = ConfigDict(extra="ignore")

    robot_id: str = Field(min_length=1, max_length=64)
    seq: int = Field(ge=0)
    monotonic_ts_ms: int = Field(ge=0)
    mode: str
    battery_mv: int = 0
    power: Power = Power()
    range_mm: int
    faults: list[str] = []
    clear_confidence: float = -1.0
    ball_detected: bool = False
    ball_confidence: float = 0.0
    ball_bearing_deg: float = 0.0
    vision_age_ms: float = -1.0
    speed_l_mm_s: int = 0
    speed_r_mm_s: int = 0
    v_capped: float = 0.0
    w_capped: float = 0.0
    trigger: str = "heartbeat"
    recent_events: list[str] = []
    planner_active_skill: str = "patrol_drift"
    face_talking: bool = False
    face_listening: bool = False


class Say(BaseModel):
    """Speak."""

    action: Literal["say"]
    text: str = Field(min_length=1, max_length=MAX_SAY_CHARS)


class Emote(BaseModel):
    """Show a feeling."""

    action: Literal["emote"]
    name: str = Field(json_schema_extra={"enum": list(EMOTIONS)})
    intensity: float = Field(default=0.5, ge=0.0, le=1.0)


class Gesture(BaseModel):
    """Move face or body."""

    action: Literal["gesture"]
    name: str = Field(json_schema_extra={"enum": list(GESTURES)})
    params: dict[str, Any] = {}


class Skill(BaseModel):
    """Start a behaviour of the robot."""

    action: Literal["skill"]
    name: str = Field(json_schema_extra={"enum": list(SKILLS)})


PlanAction = Annotated[Say | Emote | Gesture | Skill, Field(discriminator="action")]


class Plan(BaseModel):
    """What a model is asked for: at most five actions and how long they stay valid."""

    actions: list[PlanAction] = Field(default=[], max_length=MAX_ACTIONS)
    ttl_ms: int = Field(default=DEFAULT_TTL_MS, ge=MIN_TTL_MS, le=MAX_TTL_MS)


class PlanResponse(Plan):
    """Answer of ``POST /plan``."""

    plan_id: str
    robot_id: str
    seq: int
    monotonic_ts_ms: int
    server_monotonic_ts_ms: int


def safe_actions(raw: Any, allowed: frozenset[str] | None = None) -> list[dict[str, Any]]:
    """The actions among ``raw`` that a robot may be given, in order, at most five.

    Whatever a model answered: wrappers (``{"name": "emote", "params": {…}}``) and bare tags
    (``{"action": "happy"}``) are unwrapped, numbers clamped, texts cut, the rest dropped.
    ``allowed`` narrows gestures and skills to what the robot declared.
    """
    if not isinstance(raw, list | tuple):
        return []
    safe = (_safe_action(item) for item in raw)
    return [a for a in safe if a is not None and _is_allowed(a, allowed)][:MAX_ACTIONS]


def _is_allowed(action: dict[str, Any], allowed: frozenset[str] | None) -> bool:
    if allowed is None or action["action"] == "say":
        return True
    return action["name"] in allowed


def _safe_action(item: Any) -> dict[str, Any] | None:
    if not isinstance(item, dict):
        return None
    kind = item.get("action")
    if kind is None and isinstance(item.get("params"), dict):
        return _safe_action({"action": item.get("name"), **item["params"]})
    if not isinstance(kind, str):
        return None
    kind = kind.strip().lower()
    name = str(item.get("name") or "").strip().lower()
    match kind:
        case "say":
            return _safe_say(str(item.get("text") or ""))
        case "emote":
            return _safe_emote(name, item.get("intensity"))
        case "gesture":
            return _safe_gesture(name, item.get("params"))
        case "skill":
            return {"action": "skill", "name": name} if name in SKILLS else None
    return (
        _safe_emote(kind, item.get("intensity"))
        or _safe_gesture(kind, item.get("params"))
        or ({"action": "skill", "name": kind} if kind in SKILLS else None)
    )


def _safe_say(text: str) -> dict[str, Any] | None:
    text = " ".join(text.split())
    as_gesture = _safe_gesture(text.strip("*[]() .").lower(), None)
    if as_gesture is not None:
        return as_gesture
    return {"action": "say", "text": text[:MAX_SAY_CHARS]} if text else None


def _safe_emote(name: str, intensity: Any) -> dict[str, Any] | None:
    emotion = emotion_or_neutral(name)
    if emotion == "neutral" and name != "neutral":
        return None
    number = isinstance(intensity, int | float) and intensity == intensity
    value = float(min(1.0, max(0.0, intensity))) if number else 0.5
    return {"action": "emote", "name": emotion, "intensity": value}


def _safe_gesture(name: str, params: Any) -> dict[str, Any] | None:
    name = GESTURE_ALIASES.get(name, name)
    if name not in GESTURES:
        return None
    kept = params if isinstance(params, dict) and len(params) <= 8 else {}
    return {"action": "gesture", "name": name, "params": kept}
