"""Messages of the native robot WebSocket: JSON text for control, binary frames for media.

``From`` messages travel robot → hub, ``To`` messages hub → robot; the codec is
``protocols/codecs/robot.py``. Samples of ``mic`` are on the capture clock of the connection,
samples of speech on the response's own timeline, both counted from 0.
"""

from enum import StrEnum
from typing import Any

import msgspec

from protocols.messages.face import Conversation
from protocols.messages.session import Attention, Camera, EchoCanceller, Endpointing, Mute
from protocols.messages.speech import WordMark
from protocols.messages.turn import Outcome, Segment
from protocols.vocabulary import EMOTIONS, GESTURES, SKILLS

ROBOT_WIRE_VERSION = 1


class Codec(StrEnum):
    """How media frames carry audio."""

    PCM = "pcm"
    OPUS = "opus"


class _Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    pass


class Numbered(_Wire, kw_only=True):
    """A control message of the hub that a robot must not miss.

    ``order`` numbers these within a session, from 1 and without a gap; a robot that lost its
    connection says in ``hello`` which it saw last, and is sent the rest. 0 outside a session.
    """

    order: int = 0


class Capabilities(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the robot can show and do; a response only uses what stands here. One with a ``camera``
    may send its pictures."""

    emotions: tuple[str, ...] = EMOTIONS
    gestures: tuple[str, ...] = GESTURES
    skills: tuple[str, ...] = SKILLS
    camera: Camera | None = None


# robot → hub


class Playing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a loudspeaker stands: ``samples`` of ``turn`` have left it, and it holds, or has held,
    all samples before ``received``. A robot that dropped its buffer says ``samples`` twice."""

    turn: int
    samples: int
    received: int


class Hello(_Wire, tag="hello"):
    """First message of a connection.

    ``speech_rate_hz`` is the rate the robot wants to be spoken to at. A robot that comes back adds
    ``resume``, the token of the last ``welcome``; ``boot`` of that ``welcome`` and ``order`` of the
    last numbered message it saw; and ``playing``, the response that it played last.

    Without ``attention`` it listens as the hub's settings say. One that ``wakes`` hears its wake
    word by itself and says so (``wake``); ``mic_off`` is the switch of its microphone.
    """

    wire: int = ROBOT_WIRE_VERSION
    client: str = ""
    capabilities: Capabilities = Capabilities()
    codec: Codec = Codec.PCM
    speech_rate_hz: int = 16_000
    language: str = "en"
    aec: EchoCanceller = EchoCanceller.NONE
    attention: Attention | None = None
    wakes: bool = False
    mic_off: bool = False
    endpointing: Endpointing = Endpointing.HUB
    resume: str = ""
    boot: int = 0
    order: int = 0
    playing: Playing | None = None


class Text(_Wire, tag="text"):
    """The user typed instead of speaking."""

    text: str


class EndUtterance(_Wire, tag="end_utterance"):
    """The user has finished speaking, by the client's judgement."""


class Cancel(_Wire, tag="cancel"):
    """Stop what you are doing; a button or a tap."""


class Played(_Wire, tag="played"):
    """Playback position: ``samples`` of the response have left the loudspeaker.

    Sent every 100 ms while speech plays, and at once when it ends, is held or is flushed.
    ``underruns`` counts how often the buffer ran dry in this response.
    """

    epoch: int
    turn: int
    samples: int
    underruns: int = 0


class Flushed(_Wire, tag="flushed"):
    """The robot has thrown away everything at or below ``(epoch, turn)`` and will not play it."""

    epoch: int
    turn: int
    samples: int


class AttentionRequest(_Wire, tag="attention"):
    """The robot's user chose how it listens, or holds the push-to-talk button, or lets go of it.

    The button is on top of how the robot listens: to let go of it (``push_to_talk``, not ``held``)
    does not change that, unless it was not held. ``muted`` is a mute by software, which any other
    choice ends, and the button.
    """

    attention: Attention
    held: bool = False


class Wake(_Wire, tag="wake"):
    """The robot itself heard its wake word, which ends before capture sample ``last_sample`` (-1: a
    moment before the sound that it has sent so far)."""

    word: str = ""
    last_sample: int = -1


class MicSwitch(_Wire, tag="mic_switch"):
    """The switch of the robot's microphone was moved: nothing but the switch ends this mute."""

    off: bool


class ActionResult(_Wire, tag="action_result"):
    """An action was done, refused or had expired."""

    id: str
    ok: bool
    detail: str = ""


class World(_Wire, tag="world"):
    """The robot's world state (``protocols/plan.py``), for planning and for the face."""

    world: dict[str, Any]


class Profile(_Wire, tag="profile"):
    """How the robot feels, by its own personality engine; enters the planner's prompt. The hub's
    feelings leave a robot alone that has said so."""

    profile: dict[str, Any]


class Pong(_Wire, tag="pong"):
    """Answer to ``ping``: ``t0_ns`` echoed, ``t1_ns`` on receipt, ``t2_ns`` on sending, by the
    robot's own monotonic clock (RFC 5905 §8, four timestamps)."""

    t0_ns: int
    t1_ns: int
    t2_ns: int


FromRobot = (
    Hello | Text | EndUtterance | Cancel | Played | Flushed | AttentionRequest | Wake
    | MicSwitch | ActionResult | World | Profile | Pong
)  # fmt: skip


# hub → robot


class Welcome(_Wire, tag="welcome"):
    """The hub's answer to ``hello``. ``epoch`` numbers this connection; ``resume`` brings the
    conversation back after a cut.

    ``resumed``: the session goes on, and so does its speech. What was missed follows, under its
    own numbers in rising order; ``order`` is the last number given so far, so that one at or below
    it that does not come was left out on purpose (an action that has expired, say). Not
    ``resumed``: a robot throws away what it still had to say, and counts on from ``order``.
    """

    session: str
    epoch: int
    resumed: bool
    resume: str
    hub_id: str
    boot: int
    order: int
    lead_ms: int
    wire: int = ROBOT_WIRE_VERSION


class Transcript(Numbered, tag="transcript"):
    """What was understood of the user so far; ``final`` once it will not change, and only then
    numbered."""

    utterance: int
    text: str
    final: bool


class TurnBegin(Numbered, tag="turn_begin"):
    """A turn starts. Not ``interruptible``: it is said to its end, whoever speaks into it."""

    turn: int
    user_text: str = ""
    interruptible: bool = True


class TurnEnd(Numbered, tag="turn_end"):
    """A turn is over; ``heard_text`` enters the history, ``segments`` is its latency waterfall.

    ``intent`` is what the planner took the user to want, where it says so.
    """

    turn: int
    outcome: Outcome
    code: str = ""
    heard_text: str = ""
    response_text: str = ""
    segments: tuple[Segment, ...] = ()
    responder: str = ""
    fallback: str = ""
    intent: str = ""


class Emotion(Numbered, tag="emotion"):
    """The face's mood; always sent before the first sample of its turn. One of turn 0 belongs to no
    turn: the mood has changed by itself."""

    turn: int
    emotion: str
    intensity: float
    mood_reason: str = ""


class Gestures(Numbered, tag="gestures"):
    """Gestures to play, in order."""

    turn: int
    names: tuple[str, ...]


class MemoryTags(Numbered, tag="memory_tags"):
    """What the response found worth remembering; the robot decides whether it may."""

    turn: int
    tags: tuple[dict[str, str], ...]


class Face(Numbered, tag="face"):
    """The conversation state the face shows."""

    conversation: Conversation


class Listening(Numbered, tag="listening"):
    """How the hub listens to the robot from now on, if that is not as ``hello`` asked, or changes.
    ``hearing`` is whether what is said now is taken."""

    attention: Attention
    mute: Mute = Mute.OFF
    hearing: bool = True


class Action(Numbered, tag="action"):
    """Do this at most once, and not later than ``ttl_ms`` after receipt, nor than ``expires_ns`` of
    the robot's own clock (that of its ``pong``), where the hub knows that clock; 0 is unknown."""

    id: str
    epoch: int
    turn: int
    action: str
    name: str = ""
    params: dict[str, Any] = {}
    ttl_ms: int = 2000
    expires_ns: int = 0


class SpeechText(Numbered, tag="speech_text"):
    """Words of a phrase and when they sound, sent before their audio. A phrase whose voice is
    still being made comes several times, each time with further words."""

    turn: int
    phrase: int
    text: str
    words: tuple[WordMark, ...] = ()


class SpeechEnd(Numbered, tag="speech_end"):
    """The response has ``samples`` samples in all; nothing follows."""

    turn: int
    samples: int


class Duck(_Wire, tag="duck"):
    """Lower the voice: someone may be speaking. Ends by ``release``, ``hold`` or ``flush``."""

    turn: int
    gain_db: float = -15.0


class Hold(_Wire, tag="hold"):
    """Pause the buffer at once and keep it."""

    turn: int


class Release(_Wire, tag="release"):
    """It was nothing: go on at full volume from the sample it was held at."""

    turn: int


class Flush(Numbered, tag="flush"):
    """Throw away all speech and pending actions at or below ``(epoch, turn)``; answer ``flushed``."""

    epoch: int
    turn: int


class Error(Numbered, tag="error"):
    """Something the robot sent or asked for failed; the connection goes on."""

    code: str
    message: str


class Ping(_Wire, tag="ping"):
    """Clock probe; answer ``pong`` at once."""

    t0_ns: int


ToRobot = (
    Welcome | Transcript | TurnBegin | TurnEnd | Emotion | Gestures | MemoryTags | Face | Listening
    | Action | SpeechText | SpeechEnd | Duck | Hold | Release | Flush | Error | Ping
)  # fmt: skip


# media, both ways; pictures from the robot alone


class MicFrame(_Wire, tag="mic"):
    """Header of a microphone frame. ``playout_sample`` is the loudspeaker sample that was playing
    when ``first_sample`` was captured, -1 if unknown."""

    first_sample: int
    playout_sample: int = -1
    codec: Codec = Codec.PCM


class SpeechFrame(_Wire, tag="speech"):
    """Header of a speech frame: ``samples`` samples of turn ``turn`` from ``first_sample`` on."""

    epoch: int
    turn: int
    first_sample: int
    samples: int
    energy: int = 0
    codec: Codec = Codec.PCM


class CameraPicture(_Wire, tag="camera"):
    """Header of a camera picture: a JPEG of ``width`` × ``height`` pixels that was taken at ``t_ns``
    of the robot's own monotonic clock, that of its ``pong``."""

    t_ns: int
    width: int
    height: int
    media_type: str = "image/jpeg"


MediaFrame = MicFrame | SpeechFrame | CameraPicture
