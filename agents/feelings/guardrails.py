"""What a robot must not feel, or not for long, whoever wishes it. Pure.

Guardrails stand above the engine, and the engine above the wishes of a language model.
"""

from dataclasses import dataclass, field, replace
from math import isfinite

from agents.feelings.moods import NEGATIVE, Shown
from protocols.messages.affect import Broken as Broken
from protocols.messages.affect import GuardrailSet

LONGEST_LIMIT_S = 86_400.0


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


def changed(guardrails: Guardrails, order: GuardrailSet, usual: Guardrails) -> Guardrails:
    """``guardrails`` after ``order``. Caps that are switched on again are the ``usual`` ones; a
    limit that is no number, or less than nothing, changes nothing."""

    def limit(wanted: float | None, present: float, usual: float) -> float:
        if wanted is None and order.usual_limits:
            return usual
        if wanted is None or not isfinite(wanted) or wanted < 0:
            return present
        return min(wanted, LONGEST_LIMIT_S)

    durations, intensities = guardrails.duration_caps_s, guardrails.intensity_caps
    if order.negative_duration_caps is not None:
        durations = usual.duration_caps_s if order.negative_duration_caps else {}
    if order.negative_intensity_caps is not None:
        intensities = usual.intensity_caps if order.negative_intensity_caps else {}
    gate = guardrails.context_gate if order.context_gate is None else order.context_gate
    return replace(
        guardrails,
        duration_caps_s=durations,
        intensity_caps=intensities,
        context_gate=gate,
        session_limit_s=limit(
            order.session_time_limit_s, guardrails.session_limit_s, usual.session_limit_s
        ),
        daily_limit_s=limit(
            order.daily_time_limit_s, guardrails.daily_limit_s, usual.daily_limit_s
        ),
    )


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
