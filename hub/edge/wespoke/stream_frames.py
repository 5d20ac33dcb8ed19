"""What goes over ``WS /ai/stream``: JSON text frames for control, binary frames of raw PCM. Pure."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from hub.edge.json_body import parse_json
from hub.edge.limits import MAX_TEXT_CHARS
from hub.edge.wespoke.bodies import AudioFormat
from hub.errors import BadRequest
from protocols.messages import robot
from protocols.messages.session import Attention, EchoCanceller, Endpointing
from protocols.messages.turn import Outcome
from protocols.vocabulary import EMOTIONS

MAX_PROMPT_CHARS = 1_500
"""What the planner is told of the state of a robot has no room for more."""

Json = dict[str, Any]


class StreamConfig(BaseModel):
    """How the conversation is to be. Robots' engine and its model answer: what they are not asked
    by any robot is refused here instead of being left out."""

    model_config = ConfigDict(extra="forbid")

    system_prompt: Annotated[str, StringConstraints(max_length=MAX_PROMPT_CHARS)] = ""


class Output(BaseModel):
    """The audio that the client plays: 16 bits, one channel."""

    model_config = ConfigDict(populate_by_name=True)

    sample_rate: int = Field(default=16_000, ge=8_000, le=48_000, alias="sampleRate")


class Start(BaseModel):
    """First message. ``aec`` is ``device`` if the microphone does not hear the answer, so that the
    user may interrupt it by voice; ``endpointing`` is ``client`` if the client says where an
    utterance ends."""

    type: Literal["start"]
    config: StreamConfig = Field(default_factory=StreamConfig)
    format: AudioFormat = Field(default_factory=AudioFormat)
    output: Output = Field(default_factory=Output)
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z-]{0,16}$")] = "en"
    aec: Literal["none", "device"] = "none"
    endpointing: Literal["hub", "client"] = "hub"

    @property
    def profile(self) -> Json:
        """What the planner is told of how to be."""
        prompt = self.config.system_prompt
        return {"instructions": prompt} if prompt else {}

    def hello(self) -> robot.Hello:
        """What a robot would say that is so."""
        return robot.Hello(
            client="wespoke",
            attention=Attention.OPEN,
            capabilities=robot.Capabilities(emotions=EMOTIONS, gestures=(), skills=()),
            speech_rate_hz=self.output.sample_rate,
            language=self.language,
            aec=EchoCanceller(self.aec),
            endpointing=Endpointing(self.endpointing),
        )


class Typed(BaseModel):
    """The user typed."""

    type: Literal["text"]
    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARS)
    ]


class EndUtterance(BaseModel):
    """The user has finished speaking."""

    type: Literal["end_utterance"]


class Cancel(BaseModel):
    """Stop answering."""

    type: Literal["cancel"]


FromClient = Annotated[Start | Typed | EndUtterance | Cancel, Field(discriminator="type")]
_READER: TypeAdapter[Start | Typed | EndUtterance | Cancel] = TypeAdapter(FromClient)


class BadFrame(BadRequest):
    """A frame is not what may be sent."""

    code = "invalid_request"


def read_frame(frame: str) -> Start | Typed | EndUtterance | Cancel:
    """A control message of the client.

    Raises:
        BadFrame: it is none; the text says what is wrong where.
    """
    try:
        return _READER.validate_python(parse_json(frame.encode()))
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise BadFrame(f"{place}: {fault['msg']}" if place else fault["msg"]) from None
    except BadRequest as error:
        raise BadFrame(str(error)) from None


def to_client(message: robot.ToRobot) -> Json | None:
    """What says ``message`` on this wire; None where it has no word for it."""
    match message:
        case robot.Transcript(text=text, final=final):
            return {"type": "transcript", "text": text, "final": final}
        case robot.TurnBegin(turn=turn, user_text=text):
            return {"type": "turn", "turn": turn, "userText": text}
        case robot.Emotion(turn=turn, emotion=emotion, intensity=intensity):
            return {"type": "emotion", "turn": turn, "emotion": emotion, "intensity": intensity}
        case robot.SpeechText(turn=turn, phrase=phrase, text=text):
            return {"type": "text", "turn": turn, "phrase": phrase, "text": text}
        case robot.Face(conversation=conversation):
            return {"type": "state", "state": conversation.value}
        case robot.TurnEnd():
            return _done(message)
        case robot.Error(code=code, message=text):
            return error_frame(code, text)
        case _:
            return _of_sound(message)


def _of_sound(message: robot.ToRobot) -> Json | None:
    """The same of messages about what is being played."""
    match message:
        case robot.SpeechEnd(turn=turn, samples=samples):
            return {"type": "audio_end", "turn": turn, "samples": samples}
        case robot.Hold(turn=turn):
            return {"type": "hold", "turn": turn}
        case robot.Release(turn=turn):
            return {"type": "release", "turn": turn}
        case robot.Flush(turn=turn):
            return {"type": "flush", "turn": turn}
        case _:
            return None


def ready_frame(welcome: robot.Welcome, rate_hz: int) -> Json:
    """The answer to ``start``: who this session is, and what its audio will be."""
    form = {"sampleRate": rate_hz, "channels": 1, "bitsPerSample": 16}
    return {"type": "ready", "session": welcome.session, "format": form}


def error_frame(code: str, message: str) -> Json:
    """What was wrong."""
    return {"type": "error", "code": code, "message": message}


def _done(end: robot.TurnEnd) -> Json:
    return {
        "type": "done",
        "turn": end.turn,
        "outcome": end.outcome.value,
        "code": end.code,
        "text": end.response_text,
        "heardText": end.heard_text,
        "interrupted": end.outcome is Outcome.INTERRUPTED,
        "timings": {segment.name: segment.ms for segment in end.segments},
    }
