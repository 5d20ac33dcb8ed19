"""What ears asks of its engines: is this a voice, and is this sentence complete."""

from collections.abc import Sequence
from typing import Any, Protocol

from agents.runtime.service import Backend

ACTIVITIES = {
    "silero": "agents.ears.backends.silero:SileroActivity",
    "silero_single": "agents.ears.backends.silero_single:SileroSingleActivity",
    "scripted": "agents.ears.backends.scripted:ScriptedActivity",
}
"""Voice activity engines by the name that settings call them."""

TURN_MODELS = {
    "smart_turn": "agents.ears.backends.smart_turn:SmartTurn",
}

Heard = tuple[Any, bytes]
"""A microphone's memory and its next window of mono s16le samples."""


class VoiceActivity(Backend, Protocol):
    """Judges windows of several microphones at once."""

    window: int
    """Samples of a window, at 16 kHz."""

    def memory(self) -> Any:
        """What to keep between the windows of one microphone; fresh, and opaque to the caller."""

    def score(self, heard: Sequence[Heard]) -> list[float]:
        """Probability of voice, 0 to 1, for one window of each microphone; called on the loop.

        Updates each memory. A microphone's result does not depend on which others are beside it.
        """


class TurnModel(Backend, Protocol):
    """Judges whether somebody who fell silent has finished."""

    def judge(self, pcm: bytes) -> float:
        """Probability, 0 to 1, that the utterance in ``pcm`` (16 kHz mono s16le, its newest
        8 s) is complete. Blocks for tens of milliseconds; called in one thread at a time."""
