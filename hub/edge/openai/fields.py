"""Types of fields that several bodies have."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

SEEDS = 1 << 32


def refuse(sentence: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value:
            raise ValueError(sentence)
        return value

    return check


def only(*values: Any) -> WithJsonSchema:
    """What the OpenAPI document says of a field that may have these values alone."""
    return WithJsonSchema({"enum": list(values)})


NoLogprobs = Annotated[
    bool | int | None,
    AfterValidator(refuse("probabilities of tokens are not told")),
    only(None, False, 0),
]
NoBias = Annotated[
    dict[str, float] | None,
    AfterValidator(refuse("single tokens cannot be made likelier")),
    only(None, {}),
]
NoPenalty = Annotated[
    float | None, AfterValidator(refuse("repetition cannot be penalised")), only(None, 0)
]
One = Annotated[int | None, Field(ge=1, le=1, description="One answer to a request.")]

ModelName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Temperature = Annotated[float | None, Field(ge=0, le=2)]
TopP = Annotated[float | None, Field(ge=0, le=1)]
MaxTokens = Annotated[int | None, Field(ge=1, le=1_000_000)]
Seed = Annotated[int | None, Field(ge=-(1 << 63), lt=1 << 63)]
StopText = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Stop = StopText | Annotated[list[StopText], Field(max_length=4)] | None


class Body(BaseModel):
    """A body. Fields that it does not know change nothing here, and are ignored: programs send
    what only hosted models need."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())


class StreamOptions(Body):
    """How an answer is streamed."""

    include_usage: bool | None = None


class SampledBody(Body):
    """What chats and completions are asked with: how a text is drawn and told."""

    model: ModelName
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature = None
    top_p: TopP = None
    max_tokens: MaxTokens = None
    stop: Stop = None
    seed: Seed = None
    n: One = None
    logprobs: NoLogprobs = None
    logit_bias: NoBias = None
    presence_penalty: NoPenalty = None
    frequency_penalty: NoPenalty = None


def stops_of(stop: str | list[str] | None) -> tuple[str, ...]:
    """The texts at which a text ends."""
    if stop is None:
        return ()
    return (stop,) if isinstance(stop, str) else tuple(stop)


def engine_seed(seed: int | None) -> int | None:
    """``seed`` as engines take one."""
    return None if seed is None else seed % SEEDS
