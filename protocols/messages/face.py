"""What the face shows."""

from enum import StrEnum

from protocols.envelope import Message


class Conversation(StrEnum):
    """The conversation as the face shows it (ids of the face protocol, in order from 0)."""

    IDLE = "idle"
    ATTENTION = "attention"
    LISTENING = "listening"
    PTT = "ptt"
    THINKING = "thinking"
    SPEAKING = "speaking"
    ERROR = "error"
    DONE = "done"


class AffectChanged(Message, tag="affect.changed"):
    """Fact: the robot's feeling. The only source of what the face's mood shows.

    From feelings it is the mood that guardrails let be shown, with the affect behind it; ``turn``
    is that of the wish it answers, 0 if the mood has changed by itself. Without feelings the hub
    passes the model's emotion through.
    """

    emotion: str
    intensity: float
    reason: str = ""
    valence: float = 0.0
    arousal: float = 0.0
    turn: int = 0


class FaceChanged(Message, tag="face.changed"):
    """State: the face as the hub last told it to be."""

    conversation: Conversation
    emotion: str = "neutral"
    intensity: float = 0.5
    talking: bool = False


class GesturePlayed(Message, tag="gesture.played"):
    """Fact: gestures were sent to the robot, in order."""

    names: tuple[str, ...]
