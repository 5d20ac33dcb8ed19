"""What ears asks of its engines: is this a voice, is this sentence complete, was that the wake word."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

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

WAKE_WORDS = {
    "micro": "agents.ears.backends.micro_wake:MicroWake",
    "scripted": "agents.ears.backends.scripted:ScriptedWake",
}
"""Wake word engines by the name that settings call them."""

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


class Call(NamedTuple):
    """A wake word was said: which, and how sure that is."""

    word: str
    probability: float


class WakeWord(Backend, Protocol):
    """Listens for its wake words, to one microphone at a time."""

    lag_samples: int
    """How far behind the end of a word its detection lies, as a rule."""

    def memory(self) -> Any:
        """What to keep of one microphone; fresh, and opaque to the caller. Takes a few
        milliseconds."""

    def hear(self, memory: Any, pcm: bytes) -> Call | None:
        """The wake word that has ended by the end of ``pcm`` (16 kHz mono s16le), if one has. Each
        call goes on where the one before ended; called on the loop, for well below a
        millisecond."""


class TurnModel(Backend, Protocol):
    """Judges whether somebody who fell silent has finished."""

    def judge(self, pcm: bytes) -> float:
        """Probability, 0 to 1, that the utterance in ``pcm`` (16 kHz mono s16le, its newest
        8 s) is complete. Blocks for tens of milliseconds; called in one thread at a time."""
