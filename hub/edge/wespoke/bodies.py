"""What Wespoke's routes are sent and answer."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from hub.edge.wespoke.tools import Tool, Tools, checked_tools

MAX_TEXT_CHARS = 64_000
MAX_HISTORY = 200
MAX_TOKENS = 32_768
DEFAULT_MODEL = "phi4"
RATES_HZ = (8_000, 16_000, 22_050, 44_100, 48_000)
MAX_PASSAGES = 20
MAX_AUDIO_CHARS = 34 * 1024 * 1024

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)]
Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARS)
]
BaseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
DocumentName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
Audio = Annotated[str, StringConstraints(min_length=1, max_length=MAX_AUDIO_CHARS)]


class AudioFormat(BaseModel):
    """How raw PCM is to be read: little-endian, 8 bits unsigned, more bits signed."""

    model_config = ConfigDict(populate_by_name=True)

    sample_rate: int = Field(default=48_000, alias="sampleRate", description="one of "
                             + ", ".join(map(str, RATES_HZ)))  # fmt: skip
    channels: int = Field(default=1, ge=1, le=2)
    bits_per_sample: Literal[8, 16, 24, 32] = Field(default=16, alias="bitsPerSample")

    @field_validator("sample_rate")
    @classmethod
    def _known_rate(cls, rate_hz: int) -> int:
        if rate_hz not in RATES_HZ:
            raise ValueError(f"is none of {', '.join(map(str, RATES_HZ))}")
        return rate_hz


class ChatConfig(BaseModel):
    """How an answer is to be written. ``cache`` true or false: whether an answer to the same
    request may be given again, and kept for that; if it is not said, one of temperature 0 may."""

    system_prompt: Text | None = None
    model: Annotated[str, StringConstraints(max_length=200)] = DEFAULT_MODEL
    temperature: float = Field(default=0.7, ge=0, le=2)
    max_tokens: int = Field(default=2_048, gt=0, le=MAX_TOKENS)
    tools: Tools = Field(default_factory=list)
    cache: bool | None = None

    @field_validator("tools")
    @classmethod
    def _tools_apart(cls, tools: list[Tool]) -> list[Tool]:
        return checked_tools(tools)


class Config(ChatConfig):
    """The same where the system prompt must be there."""

    system_prompt: Text


class ProcessAudioBody(BaseModel):
    """Body of ``POST /ai/process-audio``: a recording in base64 (any file that can be decoded, or
    raw PCM and its format), and how it is to be answered."""

    audio: Audio
    format: AudioFormat | None = None
    config: Config


class TranscribeBody(BaseModel):
    """Body of ``POST /ai/transcribe``."""

    audio: Audio
    format: AudioFormat | None = None


class GenerateBody(BaseModel):
    """Body of ``POST /ai/generate``."""

    text: Words
    config: Config


class Turn(BaseModel):
    """What was said before. ``tool`` tells what came of a call."""

    role: Literal["system", "user", "assistant", "tool"]
    content: Text


class ChatBody(BaseModel):
    """Body of ``POST /ai/chat``."""

    message: Words
    conversation_history: list[Turn] = Field(default_factory=list, max_length=MAX_HISTORY)
    config: ChatConfig = Field(default_factory=ChatConfig)


class RagBody(BaseModel):
    """Body of ``POST /ai/rag``; ``top_k`` passages are looked up."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_096)]
    knowledge_base: BaseName = "default"
    top_k: int = Field(default=5, ge=1, le=MAX_PASSAGES)
    config: ChatConfig = Field(default_factory=ChatConfig)


class ToolCall(BaseModel):
    """A call that the model wants of a function that the request declared. The hub does not run
    it: ``success`` says that the arguments are those that the function takes, else ``result``
    says what is wrong with them. What came of it goes into the next request's history."""

    name: str
    success: bool
    result: Any | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)


class GpuUsage(BaseModel):
    """How long each step took, in seconds, whatever it ran on."""

    whisper_time: float
    ollama_time: float


class ProcessAudioAnswer(BaseModel):
    """Answer of ``POST /ai/process-audio``."""

    model_config = ConfigDict(populate_by_name=True)

    text: str
    user_text: str = Field(alias="userText")
    tools: list[ToolCall] = []
    processing_time: float
    gpu_usage: GpuUsage | None = None


class TranscribeAnswer(BaseModel):
    """Answer of ``POST /ai/transcribe``."""

    text: str
    language: str
    confidence: float | None
    processing_time: float


class GenerateAnswer(BaseModel):
    """Answer of ``POST /ai/generate``."""

    text: str
    tools: list[ToolCall] = []
    processing_time: float


class ChatAnswer(BaseModel):
    """Answer of ``POST /ai/chat``; ``tools`` only where functions were declared."""

    text: str
    conversation_id: str | None
    processing_time: float
    tools: list[ToolCall] = []


class Source(BaseModel):
    """A passage that an answer was written from. ``similarity`` is that of its meaning and the
    query's (0: not known), ``first`` and ``last`` its characters in the document."""

    document: str
    text: str
    score: float
    similarity: float
    chunk: int
    heading: str
    first: int
    last: int


class RagAnswer(BaseModel):
    """Answer of ``POST /ai/rag``; ``tools`` only where functions were declared."""

    text: str
    sources: list[Source]
    processing_time: float
    tools: list[ToolCall] = []


class DocumentBody(BaseModel):
    """Body of ``POST /ai/knowledge/{base}``: UTF-8 text or Markdown."""

    name: DocumentName
    text: Annotated[str, StringConstraints(min_length=1)]


class KeptAnswer(BaseModel):
    """How much a knowledge base holds after it was changed; ``touched`` chunks were."""

    knowledge_base: str
    documents: int
    chunks: int
    touched: int
    embedded: int


class DocumentRow(BaseModel):
    """A document; ``added_at`` in ISO 8601, UTC."""

    name: str
    chunks: int
    size_bytes: int
    added_at: str


class DocumentsAnswer(BaseModel):
    """Answer of ``GET /ai/knowledge/{base}``; more documents follow behind the last one, if
    ``more``: ask for those ``after`` it."""

    knowledge_base: str
    documents: list[DocumentRow]
    more: bool


class BaseRow(BaseModel):
    """A knowledge base."""

    knowledge_base: str
    documents: int
    chunks: int
    size_bytes: int


class BasesAnswer(BaseModel):
    """Answer of ``GET /ai/knowledge``."""

    knowledge_bases: list[BaseRow]


class Fault(BaseModel):
    """What went wrong."""

    error: str
    message: str
    details: dict[str, Any]


class ErrorBody(BaseModel):
    """The shape of errors."""

    detail: Fault
