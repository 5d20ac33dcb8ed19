"""Audio in flight. The PCM itself is the envelope's blob: mono, s16le, never base64."""

from protocols.envelope import Message

MIC_RATE_HZ = 16_000
"""Rate of every microphone sample inside the hub; ``/converse`` and the native wire deliver it."""


class MicChunk(Message, tag="mic.chunk"):
    """Microphone audio of a robot, 16 kHz. Hub → ears.

    ``first_sample`` counts capture samples of this connection from 0. A gap in it is *unknown*
    sound, not silence. ``playout_sample`` is the loudspeaker sample the device was playing when
    the first sample was captured (same device clock), -1 where it does not say.
    """

    first_sample: int
    playout_sample: int = -1


class UtteranceChunk(Message, tag="utterance.chunk"):
    """A stretch of a user's speech, 16 kHz, with a lead-in before the voice. Ears → stt.

    ``first_sample`` is on the capture clock of ``mic.chunk``.
    """

    utterance: int
    first_sample: int


class SpeechChunk(Message, tag="speech.chunk"):
    """Spoken audio of a response, at ``rate_hz``. Tts → hub.

    ``first_sample`` counts samples of the whole response from 0, over all its phrases.
    ``energy`` is the loudness of the chunk, 0..255, for the face.
    """

    phrase: int
    first_sample: int
    rate_hz: int
    energy: int = 0
