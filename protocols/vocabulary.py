"""The closed sets a robot is driven by: emotions, gestures, skills, and their aliases."""

EMOTIONS = (
    "neutral", "happy", "excited", "curious", "sad", "scared", "angry",
    "surprised", "sleepy", "love", "silly", "thinking", "confused",
)  # fmt: skip
NEGATIVE_EMOTIONS = frozenset({"sad", "scared", "angry"})
EMOTION_ALIASES = {"tired": "sleepy", "puzzled": "confused"}

FACE_GESTURES = (
    "blink", "wink_l", "wink_r", "confused", "laugh", "surprise", "heart",
    "x_eyes", "sleepy", "rage", "nod", "headshake", "wiggle",
)  # fmt: skip
BODY_GESTURES = ("look_at", "spin", "back_up")
GESTURES = FACE_GESTURES + BODY_GESTURES
GESTURE_ALIASES = {
    "head_shake": "headshake",
    "head-shake": "headshake",
    "xeyes": "x_eyes",
    "x-eyes": "x_eyes",
}

SKILLS = (
    "patrol_drift", "investigate_ball", "avoid_obstacle", "greet_on_button",
    "scan_for_target", "approach_until_range", "retreat_and_recover",
)  # fmt: skip


def emotion_or_neutral(name: str) -> str:
    """The emotion ``name`` means; ``neutral`` for anything that is none."""
    name = name.strip().lower()
    name = EMOTION_ALIASES.get(name, name)
    return name if name in EMOTIONS else "neutral"


def known_gestures(names: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """The gestures among ``names``, aliases resolved, the unknown dropped."""
    resolved = (GESTURE_ALIASES.get(n.strip().lower(), n.strip().lower()) for n in names)
    return tuple(n for n in resolved if n in GESTURES)
