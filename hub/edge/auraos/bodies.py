"""What AuraOS's routes are sent and answer, in both shapes that its clients speak."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.edge.auraos.actions import GuiAction

MAX_PROMPT_CHARS = 32_000
DEFAULT_TOKENS = 256
MAX_TOKENS = 8_192

Prompt = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_PROMPT_CHARS)
]
ModelName = Annotated[str, StringConstraints(max_length=200)]
Tokens = Annotated[int, Field(ge=1, le=MAX_TOKENS)]


class _Request(BaseModel):
    """What both requests may say."""

    max_tokens: Tokens | None = None
    max_new_tokens: Tokens | None = None
    model: ModelName | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None

    @property
    def said_tokens(self) -> int | None:
        """How much may be written, under either name; None if it is not said."""
        return self.max_tokens or self.max_new_tokens

    @property
    def tokens(self) -> int:
        """How much may be written."""
        return self.said_tokens or DEFAULT_TOKENS


class GenerateBody(_Request):
    """Body of ``POST /generate``."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"prompt": "What is the capital of France?"}]}
    )

    prompt: Prompt
    images: list[str] | None = None
    """Pictures in base64."""
    format: Literal["json"] | dict[str, Any] | None = None
    """``json``, or a JSON schema that the answer must obey."""

    @property
    def json_schema(self) -> dict[str, Any] | None:
        """What ``format`` asks for."""
        return {"type": "object"} if self.format == "json" else self.format


class AskBody(_Request):
    """Body of ``POST /ask``: ``{prompt, image}``, or ``{query, images, parse_json}``."""

    prompt: Prompt | None = None
    query: Prompt | None = None
    image: str | None = None
    images: list[str] | None = None
    parse_json: bool | None = None
    """Whether GUI actions are wanted; if it is not said, the first shape means that they are."""

    @property
    def question(self) -> str | None:
        """What is asked, under either name."""
        return self.prompt or self.query

    @property
    def pictures(self) -> list[str]:
        """The pictures of either shape, in base64."""
        return [*([self.image] if self.image else []), *(self.images or [])]

    @property
    def wants_actions(self) -> bool:
        """Whether GUI actions are asked for."""
        if self.parse_json is not None:
            return self.parse_json
        return self.prompt is not None


class ErrorBody(BaseModel):
    """The shape of errors."""

    status: Literal["error"] = "error"
    error: str


class GenerateAnswer(BaseModel):
    """Answer of ``POST /generate``."""

    status: Literal["success"] = "success"
    response: str
    backend: str
    model: str


class PixelSpace(BaseModel):
    """The picture that coordinates count in, from its upper left corner: the last that was sent."""

    index: int
    width: int
    height: int


class AskAnswer(GenerateAnswer):
    """Answer of ``POST /ask``: all actions, and the first of them once more at the top. Where
    actions were asked for and none was found, ``action`` is ``none``."""

    actions: list[GuiAction] = []
    action: str | None = None
    x: int | None = None
    y: int | None = None
    text: str | None = None
    key: str | None = None
    amount: int | None = None
    seconds: float | None = None
    confidence: float | None = None
    explanation: str | None = None
    why: str | None = None
    image: PixelSpace | None = None


class HealthAnswer(BaseModel):
    """Answer of ``GET /health``."""

    status: Literal["ok", "loading"]
    backend: str
    model_loaded: bool


class BackendEntry(BaseModel):
    """A backend, and what it serves with."""

    available: bool
    model: str | None
    type: Literal["vision", "text"]


class ModelsAnswer(BaseModel):
    """Answer of ``GET /models``."""

    backends: dict[str, BackendEntry]
    current: str
