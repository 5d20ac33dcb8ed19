"""What the Fictures AI server's routes are sent and answer, field by field as its document has them."""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints, model_validator

MAX_PROMPT_CHARS = 8_000
"""Longer ones are refused with 400."""
MAX_STRUCTURED_PROMPT_CHARS = 50_000
MAX_CHOICES = 256
SEEDS = 1 << 32

Stop = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Guide = Annotated[str, StringConstraints(min_length=1, max_length=16_384)]


class ErrorBody(BaseModel):
    """The shape of errors: a sentence, or what is wrong with which field."""

    detail: str | list[dict[str, Any]]


class TextBody(BaseModel):
    """Body of ``POST /api/v1/text/generate`` and ``/stream``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"prompt": "Once upon a time", "max_tokens": 64, "temperature": 0.7}]
        }
    )

    prompt: str = Field(min_length=1)
    max_tokens: int = Field(default=2_048, ge=1, le=8_192)
    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.9, ge=0, le=1)
    stop_sequences: Annotated[list[Stop], Field(max_length=16)] | None = None


class GuidedDecoding(BaseModel):
    """What a text must be: JSON of a schema, a match of a regular expression, one of several
    choices, or a sentence of a grammar (EBNF as GBNF writes it, from its rule ``root`` on)."""

    type: Literal["json", "regex", "choice", "grammar"]
    json_schema: dict[str, Any] | None = Field(
        default=None, validation_alias=AliasChoices("schema", "json_schema")
    )
    pattern: Guide | None = None
    choices: Annotated[list[Stop], Field(min_length=1, max_length=MAX_CHOICES)] | None = None
    grammar: Guide | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "GuidedDecoding":
        needed = {
            "json": ("schema", self.json_schema),
            "regex": ("pattern", self.pattern),
            "choice": ("choices", self.choices),
            "grammar": ("grammar", self.grammar),
        }
        name, value = needed[self.type]
        if value is None:
            raise ValueError(f"type {self.type} needs {name}")
        return self


class StructuredBody(BaseModel):
    """Body of ``POST /api/v1/text/structured``."""

    prompt: str = Field(min_length=1)
    guided_decoding: GuidedDecoding
    max_tokens: int = Field(default=2_048, ge=1, le=40_960)
    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.9, ge=0, le=1)
    stop_sequences: Annotated[list[Stop], Field(max_length=16)] | None = None


class TextAnswer(BaseModel):
    """Answer of ``POST /api/v1/text/generate``."""

    text: str
    model: str
    tokens_used: int
    finish_reason: str


class StreamEvent(BaseModel):
    """An event of ``POST /api/v1/text/stream``: all of the text so far, and what is new of it."""

    text: str
    delta: str
    model: str
    tokens_used: int
    finish_reason: str | None = None
    done: bool = False
    error: str | None = None


class StructuredAnswer(BaseModel):
    """Answer of ``POST /api/v1/text/structured``. ``is_valid``: it is whole, and what it must be."""

    output: str
    parsed_output: Any
    model: str
    tokens_used: int
    finish_reason: str
    is_valid: bool


class ImageBody(BaseModel):
    """Body of ``POST /api/v1/images/generate``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"prompt": "A lighthouse at dusk", "width": 512, "height": 512}]
        }
    )

    prompt: str = Field(min_length=1)
    negative_prompt: str | None = None
    width: int = Field(default=1_344, ge=256, le=2_048)
    height: int = Field(default=768, ge=256, le=2_048)
    num_inference_steps: int = Field(default=30, ge=1, le=100)
    guidance_scale: float = Field(default=7.5, ge=1, le=20)
    seed: int | None = Field(default=None, ge=0, lt=SEEDS)


class ImageAnswer(BaseModel):
    """Answer of ``POST /api/v1/images/generate``; ``image_url`` is a ``data:`` URI of a PNG."""

    image_url: str
    model: str
    width: int
    height: int
    seed: int


class TextModel(BaseModel):
    """A model that writes."""

    name: str
    type: Literal["text-generation"] = "text-generation"
    framework: str
    max_tokens: int
    initialized: bool


class ImageModel(BaseModel):
    """A model that paints."""

    name: str
    type: Literal["image-generation"] = "image-generation"
    framework: str
    device: str
    initialized: bool


class ModelsAnswer(BaseModel):
    """Answer of ``GET /api/v1/models``."""

    text_generation: list[TextModel]
    image_generation: list[ImageModel]


class ListedModel(BaseModel):
    """A model in the list of one kind."""

    id: str
    name: str
    type: str
    framework: str
    max_tokens: int | None = None
    device: str | None = None
    status: Literal["initialized", "not_loaded"]


class ListAnswer(BaseModel):
    """Answer of ``GET /api/v1/text/models`` and ``/images/models``."""

    models: list[ListedModel]


class ServedModels(BaseModel):
    """The names of the models; none where nobody serves one."""

    text: str | None
    image: str | None


class HealthAnswer(BaseModel):
    """Answer of ``GET /health``."""

    status: Literal["healthy"] = "healthy"
    version: str
    models: ServedModels


class IndexAnswer(BaseModel):
    """Answer of ``GET /``."""

    message: str
    version: str
    description: str
    endpoints: dict[str, str]
