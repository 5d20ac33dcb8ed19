"""The catalog: every message of the hub, on one screen.

Topic and class are one name in two spellings (``speech.chunk`` ⇄ ``SpeechChunk``). On the wire a
topic is ``class/robot_id/`` with the closing slash, so that a prefix subscription to one robot
never matches another. Lane and QoS class are data; what they mean stands in ``protocols/qos.py``.
"""

from typing import NamedTuple

from protocols.envelope import Message
from protocols.errors import UnknownTopic
from protocols.messages import (
    action,
    affect,
    agent,
    audio,
    blob,
    chat,
    face,
    image,
    job,
    memory,
    model,
    session,
    speech,
    trace,
    transcribe,
    transcript,
    turn,
    vision,
    voice,
)
from protocols.qos import Lane, QosClass


class Topic(NamedTuple):
    """One line of the catalog. A command goes to one instance, a fact to everybody."""

    message: type[Message]
    lane: Lane
    qos: QosClass
    command: bool = False


_C, _M = Lane.CONTROL, Lane.MEDIA
_MIC, _SPEECH, _CTL = QosClass.MIC, QosClass.SPEECH, QosClass.CONTROL
_STATE, _TEXT, _TEL = QosClass.STATE, QosClass.TEXT, QosClass.TELEMETRY
_FRAME = QosClass.FRAME

_TOPICS = (
    # media
    Topic(audio.MicChunk, _M, _MIC),
    Topic(audio.UtteranceChunk, _M, _MIC),
    Topic(audio.SpeechChunk, _M, _SPEECH),
    Topic(vision.CameraFrame, _M, _FRAME),
    Topic(blob.BlobPart, _M, _FRAME),
    # facts: ears and stt
    Topic(voice.VoiceStarted, _C, _CTL),
    Topic(voice.VoiceConfirmed, _C, _CTL),
    Topic(voice.VoiceLasted, _C, _CTL),
    Topic(voice.VoiceStopped, _C, _CTL),
    Topic(voice.UtteranceEnded, _C, _CTL),
    Topic(voice.UtteranceDropped, _C, _CTL),
    Topic(voice.WakeDetected, _C, _CTL),
    Topic(voice.WakeUnheard, _C, _CTL),
    Topic(transcript.TranscriptPartial, _C, _TEXT),
    Topic(transcript.TranscriptFinal, _C, _CTL),
    Topic(transcript.TranscriptFailed, _C, _CTL),
    # facts: the response
    Topic(turn.ResponseMeta, _C, _CTL),
    Topic(turn.ResponseDelta, _C, _TEXT),
    Topic(turn.ResponseDone, _C, _CTL),
    Topic(turn.ToolPending, _C, _CTL),
    Topic(turn.ToolDone, _C, _CTL),
    Topic(turn.TurnFailed, _C, _CTL),
    Topic(speech.SpeechMarks, _C, _CTL),
    Topic(speech.SpeechEnded, _C, _CTL),
    Topic(job.PlanDone, _C, _CTL),
    # facts: what jobs answer
    Topic(chat.ChatDelta, _C, _TEXT),
    Topic(chat.ChatDone, _C, _CTL),
    Topic(transcribe.TranscribeSegment, _C, _TEXT),
    Topic(transcribe.TranscribeDone, _C, _CTL),
    Topic(vision.GroundDone, _C, _CTL),
    Topic(vision.DetectDone, _C, _CTL),
    Topic(image.ImageProgress, _C, _TEL),
    Topic(image.ImageDone, _C, _CTL),
    Topic(memory.EmbedDone, _C, _CTL),
    Topic(memory.DocumentsKept, _C, _CTL),
    Topic(memory.DocumentsListed, _C, _CTL),
    Topic(memory.RetrieveDone, _C, _CTL),
    Topic(memory.MemoryState, _C, _CTL),
    Topic(blob.BlobWanted, _C, _CTL),
    Topic(job.JobDone, _C, _CTL),
    Topic(job.JobFailed, _C, _CTL),
    # facts: the hub's own
    Topic(turn.TurnStarted, _C, _CTL),
    Topic(turn.TurnReopened, _C, _CTL),
    Topic(turn.TurnEnded, _C, _CTL),
    Topic(speech.SpeechPlayed, _C, _STATE),
    Topic(session.SessionStarted, _C, _CTL),
    Topic(session.SessionEnded, _C, _CTL),
    Topic(action.ActionRequested, _C, _CTL),
    Topic(action.ActionDone, _C, _CTL),
    Topic(face.AffectChanged, _C, _CTL),
    Topic(affect.GuardrailHeld, _C, _CTL),
    Topic(face.GesturePlayed, _C, _CTL),
    # state: last value per robot or agent
    Topic(face.FaceChanged, _C, _STATE),
    Topic(affect.AffectState, _C, _STATE),
    Topic(session.Presence, _C, _STATE),
    Topic(session.AttentionChanged, _C, _STATE),
    Topic(session.ProfileChanged, _C, _STATE),
    Topic(session.ClockMeasured, _C, _STATE),
    Topic(vision.BallsSeen, _C, _STATE),
    Topic(agent.AgentHealth, _C, _STATE),
    Topic(model.ModelState, _C, _STATE),
    # an agent's life
    Topic(agent.AgentHello, _C, _CTL),
    Topic(agent.AgentReady, _C, _CTL),
    Topic(agent.AgentProgress, _C, _TEL),
    Topic(agent.AgentHeartbeat, _C, _TEL),
    # for whoever records: hub → recorder, lossy, so on the media lane
    Topic(trace.TraceBatch, _M, _TEL),
    # commands: hub → one instance
    Topic(session.SessionAssign, _C, _CTL, command=True),
    Topic(session.SessionRelease, _C, _CTL, command=True),
    Topic(session.AttentionSet, _C, _CTL, command=True),
    Topic(affect.AffectWish, _C, _CTL, command=True),
    Topic(affect.AffectOverride, _C, _CTL, command=True),
    Topic(affect.AffectReset, _C, _CTL, command=True),
    Topic(affect.AffectBias, _C, _CTL, command=True),
    Topic(affect.GuardrailSet, _C, _CTL, command=True),
    Topic(affect.BodySensed, _C, _CTL, command=True),
    Topic(voice.UtteranceFinish, _C, _CTL, command=True),
    Topic(voice.UtteranceDrop, _C, _CTL, command=True),
    Topic(voice.UtteranceClose, _C, _CTL, command=True),
    Topic(turn.TurnStart, _C, _CTL, command=True),
    Topic(turn.TurnCancel, _C, _CTL, command=True),
    Topic(speech.SpeechRequest, _C, _CTL, command=True),
    Topic(speech.SpeechFinish, _C, _CTL, command=True),
    Topic(speech.SpeechCredit, _C, _CTL, command=True),
    Topic(job.PlanRequest, _C, _CTL, command=True),
    Topic(job.SpeakRequest, _C, _CTL, command=True),
    Topic(chat.ChatRequest, _C, _CTL, command=True),
    Topic(transcribe.TranscribeRequest, _C, _CTL, command=True),
    Topic(vision.GroundRequest, _C, _CTL, command=True),
    Topic(vision.DetectRequest, _C, _CTL, command=True),
    Topic(image.ImageRequest, _C, _CTL, command=True),
    Topic(memory.EmbedRequest, _C, _CTL, command=True),
    Topic(memory.DocumentAdd, _C, _CTL, command=True),
    Topic(memory.DocumentRemove, _C, _CTL, command=True),
    Topic(memory.DocumentsEmbed, _C, _CTL, command=True),
    Topic(memory.DocumentsList, _C, _CTL, command=True),
    Topic(memory.RetrieveRequest, _C, _CTL, command=True),
    Topic(memory.MemoryNote, _C, _CTL, command=True),
    Topic(memory.MemoryConsent, _C, _CTL, command=True),
    Topic(memory.MemoryForget, _C, _CTL, command=True),
    Topic(memory.MemoryRecall, _C, _CTL, command=True),
    Topic(blob.BlobSent, _C, _CTL, command=True),
    Topic(blob.BlobWant, _C, _CTL, command=True),
    Topic(blob.BlobTaken, _C, _CTL, command=True),
    Topic(job.WorkHold, _C, _CTL, command=True),
    Topic(model.ModelLoad, _C, _CTL, command=True),
    Topic(model.ModelUnload, _C, _CTL, command=True),
    Topic(job.JobCancel, _C, _CTL, command=True),
    Topic(agent.AgentDrain, _C, _CTL, command=True),
)


def topic_name(message: type[Message]) -> str:
    """The class part of a message's topic, e.g. ``speech.chunk``."""
    tag = message.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


CATALOG: dict[str, Topic] = {topic_name(t.message): t for t in _TOPICS}
LINES: dict[type[Message], Topic] = {t.message: t for t in _TOPICS}
"""The catalog by the class of a message, for who looks it up with every frame."""


def wire_topic(message: type[Message], robot: str = "") -> bytes:
    """The topic frame of a message, e.g. ``b"speech.chunk/robot1/"``."""
    return f"{topic_name(message)}/{robot}/".encode()


def parse_topic(frame: bytes) -> tuple[Topic, str]:
    """Catalog line and robot of a topic frame.

    Raises:
        UnknownTopic: no line of the catalog has that name.
    """
    name, _, rest = frame.partition(b"/")
    topic = CATALOG.get(name.decode("ascii", "replace"))
    if topic is None or not rest.endswith(b"/"):
        raise UnknownTopic(f"topic {frame[:96]!r} is not in the catalog")
    return topic, rest[:-1].decode("ascii", "replace")
