"""OpenAI's voices among those of the engines, each as near as there is one. Pure.

Any other name is an engine's own; one that it does not have is replaced by its usual voice.
"""

from collections.abc import Mapping

_KOKORO = {
    "alloy": "af_alloy", "ash": "am_michael", "ballad": "bm_george", "coral": "af_bella",
    "echo": "am_echo", "fable": "bm_fable", "nova": "af_nova", "onyx": "am_onyx",
    "sage": "af_sarah", "shimmer": "af_sky", "verse": "am_puck", "marin": "af_heart",
    "cedar": "am_fenrir",
}  # fmt: skip
"""Names: https://huggingface.co/hexgrad/Kokoro-82M/blob/main/VOICES.md"""
_ORPHEUS = {
    "alloy": "tara", "ash": "leo", "ballad": "dan", "coral": "leah", "echo": "zac",
    "fable": "dan", "nova": "jess", "onyx": "leo", "sage": "mia", "shimmer": "zoe",
    "verse": "zac", "marin": "tara", "cedar": "leo",
}  # fmt: skip
"""Names: https://github.com/canopyai/Orpheus-TTS"""
_ESPEAK = {
    "alloy": "en-us", "ash": "en-us+m3", "ballad": "en-gb+m5", "coral": "en-us+f2",
    "echo": "en-us+m1", "fable": "en-gb+m2", "nova": "en-us+f4", "onyx": "en-us+m7",
    "sage": "en-us+f3", "shimmer": "en-us+f5", "verse": "en-us+m4", "marin": "en-us+f1",
    "cedar": "en-us+m6",
}  # fmt: skip
"""A language, and a variant of its voice: ``!v`` of espeak-ng's data."""

VOICES: Mapping[str, Mapping[str, str]] = {
    "kokoro": _KOKORO,
    "orpheus": _ORPHEUS,
    "espeak": _ESPEAK,
}
"""By the engine that speaks; ``openai`` has them all by their own names."""


def voice_of(name: str, backend: str) -> str:
    """What ``backend`` calls the voice ``name``."""
    return VOICES.get(backend, {}).get(name.lower(), name)
