"""World state and plan: what a robot tells of itself, and the closed set of what it may be told.

Pydantic, because both come from outside: an HTTP body and a model's answer. The field names and
limits are those of the robot-buddy planner API.
"""

from typing import Annotated, Any, Literal, TypeGuard

from pydantic import BaseModel, ConfigDict, Field

from protocols.vocabulary import EMOTIONS, GESTURE_ALIASES, GESTURES, SKILLS, emotion_or_neutral

MAX_SAY_CHARS = 200
MAX_ACTIONS = 5
MIN_TTL_MS, DEFAULT_TTL_MS, MAX_TTL_MS = 500, 2000, 5000
MAX_WRAPPERS = 4
MAX_PARAMS = 8
MAX_NUMBER = 1e6
"""No robot is told a greater one; infinity and NaN are none that JSON could carry."""

_KINDS = frozenset({"say", "emote", "gesture", "skill"})


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

    Whatever a model answered: wrappers (``{"name": "emote", "params": {…}}``), bare tags
    (``{"action": "happy"}``, ``"nod"``) and what stands under another kind's name are understood,
    numbers clamped, texts cut, the rest dropped. ``allowed`` narrows gestures and skills to what
    the robot declared.
    """
    if not isinstance(raw, list | tuple):
        return []
    safe = (_safe_action(item, MAX_WRAPPERS) for item in raw)
    return [a for a in safe if a is not None and _is_allowed(a, allowed)][:MAX_ACTIONS]


def _is_allowed(action: dict[str, Any], allowed: frozenset[str] | None) -> bool:
    if allowed is None or action["action"] == "say":
        return True
    return action["name"] in allowed


def _safe_action(item: Any, wrappers: int) -> dict[str, Any] | None:
    if isinstance(item, str):
        return _named(_word(item), {})
    if not isinstance(item, dict) or not wrappers:
        return None
    kind, name = item.get("action"), item.get("name")
    inside = item.get("params", item.get("arguments"))
    if isinstance(kind, dict):
        return _safe_action(kind, wrappers - 1)
    if isinstance(inside, dict) and "action" in inside:
        return _safe_action(inside, wrappers - 1)
    if kind is None:
        kind, name = name, None
    if name is None and isinstance(inside, dict) and _word(kind) in _KINDS:
        item = {**item, "params": None, **inside}
        name = inside.get("name")
    return _of_kind(_word(kind), _word(name), item)


def _of_kind(kind: str, name: str, fields: dict[str, Any]) -> dict[str, Any] | None:
    match kind:
        case "say":
            return _safe_say(fields.get("text"))
        case "gesture" if name == "say":
            params = fields.get("params")
            return _safe_say(params.get("text") if isinstance(params, dict) else None)
        case "gesture":
            return _safe_gesture(name, fields.get("params")) or _named(name, fields)
        case "emote" | "skill":
            return _named(name, fields)
    return _named(kind, fields)


def _named(name: str, fields: dict[str, Any]) -> dict[str, Any] | None:
    """What ``name`` can only mean; of a feeling and a gesture of one name, the feeling."""
    return (
        _safe_emote(name, fields.get("intensity"))
        or _safe_gesture(name, fields.get("params"))
        or ({"action": "skill", "name": name} if name in SKILLS else None)
    )


def _safe_say(text: Any) -> dict[str, Any] | None:
    text = " ".join(text.split()) if isinstance(text, str) else ""
    as_gesture = _safe_gesture(text.strip("*[]() .").lower(), None)
    if as_gesture is not None:
        return as_gesture
    text = text[:MAX_SAY_CHARS].rstrip()
    return {"action": "say", "text": text} if text else None


def _safe_emote(name: str, intensity: Any) -> dict[str, Any] | None:
    emotion = emotion_or_neutral(name)
    if emotion == "neutral" and name != "neutral":
        return None
    value = min(1.0, max(0.0, float(intensity))) if _is_number(intensity) else 0.5
    return {"action": "emote", "name": emotion, "intensity": value}


def _safe_gesture(name: str, params: Any) -> dict[str, Any] | None:
    name = GESTURE_ALIASES.get(name, name)
    if name not in GESTURES:
        return None
    return {"action": "gesture", "name": name, "params": _safe_params(params)}


def _safe_params(params: Any) -> dict[str, Any]:
    """Numbers and short words; a bearing within half a turn."""
    if not isinstance(params, dict) or len(params) > MAX_PARAMS:
        return {}
    kept: dict[str, Any] = {
        key: value
        for key, value in params.items()
        if _is_number(value) or (isinstance(value, str | bool) and len(str(value)) <= 64)
    }
    bearing = kept.get("bearing")
    if _is_number(bearing):
        kept["bearing"] = min(180, max(-180, bearing))
    return kept


def _is_number(value: Any) -> TypeGuard[int | float]:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MAX_NUMBER
    )


def _word(raw: Any) -> str:
    return raw.strip().lower() if isinstance(raw, str) else ""
