"""What must be known of a turn under way if the hub ends in the middle of it: plain values, which
sessions fill in and the store keeps."""

from dataclasses import dataclass

import msgspec

from protocols.messages.speech import WordMark
from protocols.messages.turn import Priority


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase whose speech was requested. The filler is spoken, but is no part of the answer."""

    text: str
    filler: bool = False
    words: tuple[WordMark, ...] = ()
    """When its words sound, as far as tts has said so."""


class OpenTurn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A turn under way, as far as the next run of the hub must know it if this one ends now.

    ``session`` is what the robot's resume token must be, ``played_ms`` what its loudspeaker had
    acknowledged.
    """

    session: str
    epoch: int
    turn: int
    priority: Priority
    interruptible: bool = True
    user: str = ""
    emotion: str = "neutral"
    intensity: float = 0.5
    rate_hz: int = 16_000
    phrases: tuple[Phrase, ...] = ()
    played_ms: int = 0
