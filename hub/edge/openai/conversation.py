"""From the messages of a request to what a model is told."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from hub.edge.openai.chat_bodies import (
    AssistantMessage,
    ChatBody,
    ChatMessage,
    ImagePart,
    JsonObject,
    ObjectFormat,
    SchemaFormat,
    SystemMessage,
    TextPart,
    ToolMessage,
    UserMessage,
)
from hub.edge.openai.fields import engine_seed, stops_of
from hub.edge.openai.reading import JsonReader, PlainReader, Reader, ToolReader
from hub.edge.openai.refusing import wrong
from hub.edge.openai.tools import Call, Choice, as_written, choice_of, rule_of, schema_of
from hub.edge.pictures import SentPicture, read_pictures
from hub.edge.schemas import SchemaCheck
from hub.jobs.inference import Picture, Said
from protocols.messages.chat import ChatRequest

_ANY_OBJECT: JsonObject = {"type": "object"}


class Asked(NamedTuple):
    """A chat as jobs take it, and who reads what the model writes."""

    said: list[Said]
    how: ChatRequest
    reader: Reader

    @property
    def shows(self) -> bool:
        """Whether there are pictures in it."""
        return any(each.pictures for each in self.said)


async def asked_of(body: ChatBody) -> Asked:
    """What a request asks; large pictures are decoded off the loop.

    Raises:
        RequestValidationError: its messages, tools or format contradict each other.
        BadPicture, PictureTooLarge: see ``hub/edge/pictures.py``.
        BadSchema: a schema is none, or too large, or refers to itself.
    """
    choice = _choice_of(body)
    pictures = await read_pictures(_urls(body.messages))
    said = _said(body.messages, pictures)
    if choice.functions:
        said = _with_rule(said, rule_of(choice))
    schema = _schema_of(body)
    whole = schema_of(choice, schema) if choice.functions else schema
    check = await asyncio.to_thread(SchemaCheck, whole) if whole is not None else None
    how = ChatRequest(
        messages=(),
        schema=whole,
        temperature=body.temperature,
        top_p=body.top_p,
        max_tokens=body.max_completion_tokens or body.max_tokens,
        stop=stops_of(body.stop),
        seed=engine_seed(body.seed),
        whole=not body.stream,
    )
    return Asked(said, how, _reader_of(choice, check))


def _choice_of(body: ChatBody) -> Choice:
    try:
        return choice_of(body.tools, body.tool_choice, body.parallel_tool_calls)
    except ValueError as error:
        wrong("tools" if body.tool_choice is None else "tool_choice", str(error))


def _schema_of(body: ChatBody) -> JsonObject | None:
    match body.response_format:
        case ObjectFormat():
            return _ANY_OBJECT
        case SchemaFormat(json_schema=named):
            return named.schema_ or _ANY_OBJECT
        case _:
            return None


def _reader_of(choice: Choice, check: SchemaCheck | None) -> Reader:
    if choice.functions:
        return ToolReader(choice)
    return PlainReader() if check is None else JsonReader(check.holds)


def _urls(messages: Sequence[ChatMessage]) -> list[str]:
    """The pictures of all messages, in their order.

    Raises:
        RequestValidationError: one of them would have to be fetched.
    """
    urls = [
        part.image_url.url
        for message in messages
        if isinstance(message, UserMessage) and not isinstance(message.content, str)
        for part in message.content
        if isinstance(part, ImagePart)
    ]
    if not all(url[:5].lower() == "data:" for url in urls):
        wrong("messages", "nothing is fetched: send pictures as data: URLs (base64)")
    return urls


def _said(messages: Sequence[ChatMessage], pictures: Sequence[SentPicture]) -> list[Said]:
    said: list[Said] = []
    called: dict[str, str] = {}
    shown = iter(pictures)
    for message in messages:
        match message:
            case SystemMessage(content=content):
                said.append(Said("system", _text(content)))
            case UserMessage(content=content):
                count = sum(isinstance(part, ImagePart) for part in content)
                own: tuple[Picture, ...] = tuple(next(shown).picture for _ in range(count))
                said.append(Said("user", _text(content), own))
            case AssistantMessage():
                said.append(Said("assistant", _assistant_text(message, called)))
            case ToolMessage():
                _add_result(said, message, called)
    if all(each.role == "system" for each in said):
        wrong("messages", "a message of the user is expected")
    return said


def _assistant_text(message: AssistantMessage, called: dict[str, str]) -> str:
    """Its words, and its calls as a model writes them; notes in ``called`` who was called."""
    text = _text(message.content or "")
    if not message.tool_calls:
        return text
    calls = [
        Call(each.id, each.function.name, each.function.arguments) for each in message.tool_calls
    ]
    called.update({call.id: call.name for call in calls})
    return as_written(calls, text)


def _add_result(said: list[Said], message: ToolMessage, called: dict[str, str]) -> None:
    """Add what a function answered, to other answers where they come before it: many models take
    no two messages of one side in a row."""
    name = called.get(message.tool_call_id)
    if name is None:
        wrong("messages", "a message of a tool answers a call of an earlier message's tool_calls")
    text = f"{name} answered: {_text(message.content)}"
    if said[-1].role == "tool":
        text = f"{said.pop().text}\n{text}"
    said.append(Said("tool", text))


def _text(content: "str | Sequence[TextPart | ImagePart]") -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content if isinstance(part, TextPart))


def _with_rule(said: list[Said], rule: str) -> list[Said]:
    """``said`` with a rule in the one system message that many chat templates allow."""
    first, *rest = said
    if first.role != "system":
        return [Said("system", rule), *said]
    return [first._replace(text=f"{first.text}\n\n{rule}".strip()), *rest]
