"""How a feeling sounds: a table from emotion to rate, pitch, range and volume."""

from typing import NamedTuple

from protocols.vocabulary import emotion_or_neutral


class Prosody(NamedTuple):
    """How to speak. Factors of the engine's usual rate and volume; offsets of its pitch and pitch
    range in points, where its scale has a hundred."""

    rate: float = 1.0
    pitch: float = 0.0
    range: float = 0.0
    volume: float = 1.0


NEUTRAL = Prosody()

FULL: dict[str, Prosody] = {
    "neutral": NEUTRAL,
    "happy": Prosody(1.08, 12, 20, 1.05),
    "excited": Prosody(1.20, 18, 35, 1.15),
    "curious": Prosody(1.00, 10, 20, 1.0),
    "sad": Prosody(0.80, -14, -25, 0.85),
    "scared": Prosody(1.15, 16, 10, 0.85),
    "angry": Prosody(1.10, -8, 25, 1.20),
    "surprised": Prosody(1.10, 20, 40, 1.10),
    "sleepy": Prosody(0.72, -12, -30, 0.75),
    "love": Prosody(0.92, 8, 15, 0.95),
    "silly": Prosody(1.12, 22, 40, 1.05),
    "thinking": Prosody(0.88, 0, -10, 0.95),
    "confused": Prosody(0.90, 6, 20, 0.95),
}
"""The whole effect of each emotion, at intensity 1."""


def prosody_of(emotion: str, intensity: float) -> Prosody:
    """The prosody of ``emotion``, in proportion to ``intensity`` (clamped to 0..1)."""
    full = FULL[emotion_or_neutral(emotion)]
    # A comparison with NaN is false, so that NaN is none at all.
    share = min(1.0, intensity) if intensity > 0 else 0.0
    return Prosody(*(n + (f - n) * share for n, f in zip(NEUTRAL, full, strict=True)))
