"""How a feeling sounds: a table from emotion to rate, pitch, range and volume, and one to tags."""

from typing import NamedTuple

from protocols.vocabulary import emotion_or_neutral


class Prosody(NamedTuple):
    """How to speak. Factors of the engine's usual rate and volume; offsets of its pitch and pitch
    range in points, where its scale has a hundred. ``tag`` is a sound to begin with, by its name
    in Orpheus' markup, empty for none. ``speed`` is a factor of the tempo that was asked for, kept
    exactly: what an engine cannot do of it is stretched (``tempo.py``)."""

    rate: float = 1.0
    pitch: float = 0.0
    range: float = 0.0
    volume: float = 1.0
    tag: str = ""
    speed: float = 1.0


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

TAGS: dict[str, tuple[str, float]] = {
    "sleepy": ("yawn", 0.0),
    "silly": ("laugh", 0.0),
    "happy": ("chuckle", 0.8),
    "excited": ("gasp", 0.8),
    "surprised": ("gasp", 0.5),
    "sad": ("sigh", 0.4),
    "scared": ("gasp", 0.4),
    "angry": ("groan", 0.3),
}
"""The sound that each emotion begins with, and from which intensity on; the others have none."""


def prosody_of(emotion: str, intensity: float) -> Prosody:
    """The prosody of ``emotion``, in proportion to ``intensity`` (clamped to 0..1)."""
    name = emotion_or_neutral(emotion)
    full = FULL[name]
    # A comparison with NaN is false, so that NaN is none at all.
    share = min(1.0, intensity) if intensity > 0 else 0.0
    return Prosody(
        rate=NEUTRAL.rate + (full.rate - NEUTRAL.rate) * share,
        pitch=full.pitch * share,
        range=full.range * share,
        volume=NEUTRAL.volume + (full.volume - NEUTRAL.volume) * share,
        tag=tag_of(name, share),
    )


def tag_of(emotion: str, intensity: float) -> str:
    """The tag of ``emotion`` at ``intensity``, empty where it has none; so has no feeling at all."""
    tag, least = TAGS.get(emotion, ("", 0.0))
    return tag if intensity > 0 and intensity >= least else ""
