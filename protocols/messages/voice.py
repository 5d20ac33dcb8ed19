"""What ears hears: activity and utterances. Ears reports, the session engine decides.

``voice.*`` are edges of voice activity and may alternate several times inside one utterance;
``utterance.*`` bound the stretch of speech that will be transcribed. Samples are on the capture
clock of ``mic.chunk``.
"""

from enum import StrEnum

from protocols.envelope import Message


class EndReason(StrEnum):
    """Why an utterance is over."""

    SILENCE = "silence"
    TURN_MODEL = "turn_model"
    CLIENT = "client"
    MAX_LENGTH = "max_length"


class DropReason(StrEnum):
    """Why an utterance counts as never spoken."""

    TOO_SHORT = "too_short"
    ECHO = "echo"
    MUTED = "muted"
    EMPTY = "empty"
    NOT_ADDRESSED = "not_addressed"
    """Nobody had said the wake word: no recogniser has heard any of it."""
    CUT = "cut"
    """The connection that carried it was lost."""


class WakeDetected(Message, tag="wake.detected"):
    """Somebody said the wake word ``word``, which ends before capture sample ``last_sample``; what is
    said after it is a new utterance."""

    word: str
    last_sample: int
    probability: float = 1.0


class WakeUnheard(Message, tag="wake.unheard"):
    """Ears cannot hear a wake word, and a robot waits for one. ``reason`` is for people."""

    reason: str


class VoiceStarted(Message, tag="voice.started"):
    """Someone began to speak: a few windows of voice activity, enough to duck, not to cut."""

    utterance: int
    first_sample: int
    probability: float = 0.0


class VoiceConfirmed(Message, tag="voice.confirmed"):
    """The voice has lasted long enough to be speech rather than a knock or a cough."""

    utterance: int
    voiced_ms: int


class VoiceLasted(Message, tag="voice.lasted"):
    """The voice goes on for longer than an "uh huh" does: whoever speaks means it."""

    utterance: int
    voiced_ms: int


class VoiceStopped(Message, tag="voice.stopped"):
    """The voice paused; the utterance may still go on. ``last_sample`` is its last voiced one."""

    utterance: int
    last_sample: int
    voiced_ms: int


class UtteranceEnded(Message, tag="utterance.ended"):
    """Endpoint: the utterance is over and may be transcribed.

    ``last_sample`` is the last sample that was sent to stt (exclusive end), ``speech_end_sample``
    the end of the voice inside it. ``probability`` is the turn model's, -1 where it was not asked.
    """

    utterance: int
    first_sample: int
    last_sample: int
    speech_end_sample: int
    reason: EndReason
    probability: float = -1.0


class UtteranceDropped(Message, tag="utterance.dropped"):
    """What began was no utterance; stt forgets it. ``reason`` says why."""

    utterance: int
    reason: DropReason


class UtteranceFinish(Message, tag="utterance.finish"):
    """Order to stt: transcribe ``utterance``, which covers samples up to ``last_sample``
    (exclusive); wait for them on the media lane, but not for ever."""

    utterance: int
    first_sample: int
    last_sample: int


class UtteranceDrop(Message, tag="utterance.drop"):
    """Order to stt and ears: forget ``utterance`` (0: none that the hub knows of).

    Ears also forgets all sound up to ``last_sample`` (exclusive), whether it has come or is still
    on its way; -1: none.
    """

    utterance: int
    reason: DropReason
    last_sample: int = -1


class UtteranceClose(Message, tag="utterance.close"):
    """Order to ears: the client says that the utterance is over now (``end_utterance``).

    ``last_sample`` is the exclusive end of what the client had sent by then, so that ears can wait
    for microphone audio that this order has overtaken; -1 closes with what is there.
    """

    last_sample: int = -1
