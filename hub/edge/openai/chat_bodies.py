"""Body of ``POST /v1/chat/completions``: https://platform.openai.com/docs/api-reference/chat/create"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, Field, StringConstraints

from hub.edge.openai.fields import (
    Body,
    MaxTokens,
    NoLogprobs,
    SampledBody,
    only,
    refuse,
)

MAX_MESSAGES = 1_000
MAX_TOOLS = 128

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
JsonObject = dict[str, Any]


class TextPart(Body):
    """Words of a message."""

    type: Literal["text"]
    text: str


class ImageUrl(Body):
    """A picture as a ``data:`` URL; nothing is fetched from anywhere. ``detail`` changes nothing."""

    url: str
    detail: str | None = None


class ImagePart(Body):
    """A picture of a message."""

    type: Literal["image_url"]
    image_url: ImageUrl


Words = str | Annotated[list[TextPart], Field(max_length=MAX_MESSAGES)]
Shown = Annotated[
    list[Annotated[TextPart | ImagePart, Field(discriminator="type")]],
    Field(max_length=MAX_MESSAGES),
]


class SystemMessage(Body):
    """How the model is to behave."""

    role: Literal["system", "developer"]
    content: Words


class UserMessage(Body):
    """What the user says and shows."""

    role: Literal["user"]
    content: str | Shown


class FunctionCall(Body):
    """A call in a conversation so far; ``arguments`` is JSON."""

    name: Name
    arguments: str = "{}"


class ToolCall(Body):
    """The model wanted a function to be called."""

    id: Id
    type: Literal["function"] = "function"
    function: FunctionCall


class AssistantMessage(Body):
    """What the model said, or whom it called."""

    role: Literal["assistant"]
    content: Words | None = None
    tool_calls: Annotated[list[ToolCall], Field(max_length=MAX_TOOLS)] | None = None


class ToolMessage(Body):
    """What a function answered."""

    role: Literal["tool"]
    content: Words
    tool_call_id: Id


ChatMessage = Annotated[
    SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")
]


class Function(Body):
    """A function that the model may call; ``parameters`` is the JSON schema of its arguments."""

    name: Name
    description: Annotated[str, Field(max_length=16_384)] | None = None
    parameters: JsonObject | None = None


class Tool(Body):
    """A tool; functions are all there is."""

    type: Literal["function"]
    function: Function


class NamedFunction(Body):
    """A function by its name."""

    name: Name


class NamedTool(Body):
    """The one tool that is to be called."""

    type: Literal["function"] = "function"
    function: NamedFunction


class JsonSchema(Body):
    """The schema of an answer. Engines are held to it as far as they can be, ``strict`` or not."""

    name: Name = "answer"
    schema_: JsonObject | None = Field(
        default=None,
        validation_alias=AliasChoices("schema", "schema_"),
        serialization_alias="schema",
    )


class TextFormat(Body):
    """The answer is text."""

    type: Literal["text"]


class ObjectFormat(Body):
    """The answer is a JSON object."""

    type: Literal["json_object"]


class SchemaFormat(Body):
    """The answer is JSON that obeys a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


class ChatBody(SampledBody):
    """What is to be gone on with, and how."""

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    max_completion_tokens: MaxTokens = None
    response_format: (
        Annotated[TextFormat | ObjectFormat | SchemaFormat, Field(discriminator="type")] | None
    ) = None
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    top_logprobs: NoLogprobs = None
    modalities: list[Literal["text"]] | None = None
    audio: Annotated[
        JsonObject | None,
        AfterValidator(refuse("answers are text; /v1/audio/speech speaks")),
        only(None),
    ] = None
    functions: Annotated[
        list[JsonObject] | None,
        AfterValidator(refuse("functions are declared in tools")),
        only(None),
    ] = None
    function_call: Annotated[
        str | JsonObject | None,
        AfterValidator(refuse("tool_choice says what is called")),
        only(None),
    ] = None
    web_search_options: Annotated[
        JsonObject | None,
        AfterValidator(refuse("nothing is fetched from anywhere")),
        only(None),
    ] = None
