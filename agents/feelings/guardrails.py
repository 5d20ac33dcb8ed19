"""What a robot must not feel, or not for long, whoever wishes it. Pure.

Guardrails stand above the engine, and the engine above the wishes of a language model.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from agents.feelings.moods import NEGATIVE, Shown


class Broken(StrEnum):
    """Guardrails that took hold."""

    SESSION_LIMIT = "session_time_limit"
    DAILY_LIMIT = "daily_time_limit"
    DAILY_BLOCKED = "daily_limit_blocked"
    REASON_REJECTED = "mood_reason_rejected"
    DURATION_CAP = "duration_cap"


@dataclass(frozen=True)
class Guardrails:
    """Limits of one robot. Times in seconds; 0 means no limit of time."""

    duration_caps_s: dict[str, float] = field(
        default_factory=lambda: {"sad": 4.0, "scared": 2.0, "angry": 2.0, "surprised": 3.0}
    )
    intensity_caps: dict[str, float] = field(
        default_factory=lambda: {"sad": 0.70, "scared": 0.60, "angry": 0.50, "surprised": 0.80}
    )
    context_gate: bool = True
    """Nothing negative outside a conversation."""
    session_limit_s: float = 900.0
    daily_limit_s: float = 2_700.0


FORBIDDEN_REASONS = (
    "angry at child",
    "frustrated with child",
    "annoyed by child",
    "child won't",
    "child refused",
    "child is being",
)
"""Never a reason for a negative feeling."""
UNGIVEN, GIVEN = 1.00, 0.95
"""What is left of a model's wish without a reason, and with one."""


def capped(shown: Shown, guardrails: Guardrails, in_conversation: bool) -> Shown:
    """What of a mood may be shown."""
    if guardrails.context_gate and shown.mood in NEGATIVE and not in_conversation:
        return Shown("neutral", shown.intensity)
    cap = guardrails.intensity_caps.get(shown.mood, 1.0)
    return Shown(shown.mood, min(shown.intensity, cap))


def weight_of(emotion: str, reason: str, in_conversation: bool) -> float | None:
    """What a model's wish counts with the reason it gives; None if that is no reason to have it."""
    if emotion in NEGATIVE:
        said = reason.casefold().replace("\u2019", "'")
        if not in_conversation or any(phrase in said for phrase in FORBIDDEN_REASONS):
            return None
    return GIVEN if reason.strip() else UNGIVEN
