"""Functions that a request declares and its model may call. Pure.

The hub has none of a client's functions, so what the model wants called goes back to the client.
How a model is told of functions, and how it writes calls, is that of ``/v1/chat/completions``.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from pydantic import Field, model_validator

from hub.edge.openai.chat_bodies import Function
from hub.edge.openai.tools import Choice, rule_of, schema_of
from hub.edge.schemas import BadSchema, SchemaCheck

MAX_TOOLS = 32
MAX_CALLS = 8
"""Calls of one answer."""
MAX_PARAMETERS_CHARS = 16_000


class Tool(Function):
    """A function: its name, what it does, and a JSON schema of its arguments. The form of the OpenAI
    API (``{"type": "function", "function": {…}}``) means the same."""

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("function"), dict):
            return value["function"]
        return value

    @model_validator(mode="after")
    def _bounded(self) -> "Tool":
        if len(json.dumps(self.parameters)) > MAX_PARAMETERS_CHARS:
            raise ValueError(f"parameters are longer than {MAX_PARAMETERS_CHARS} characters")
        if self.parameters and self.parameters.get("type", "object") != "object":
            raise ValueError("parameters are a schema of an object")
        return self


Tools = Annotated[list[Tool], Field(max_length=MAX_TOOLS)]


class Call(NamedTuple):
    """What a model wants called. ``fault`` says why it cannot be."""

    name: str
    arguments: dict[str, Any]
    fault: str = ""


class Answer(NamedTuple):
    """A text, and the calls that came with it."""

    text: str
    calls: tuple[Call, ...] = ()


def checked_tools(tools: list[Tool]) -> list[Tool]:
    """``tools``.

    Raises:
        ValueError: two of them have one name.
    """
    names = [tool.name for tool in tools]
    if len(set(names)) < len(names):
        raise ValueError("names two functions alike")
    return tools


class Toolbox:
    """The functions of one request. Blocking: schemas of clients are read, and matched.

    Raises:
        BadSchema: parameters are no JSON schema, or more than engines take.
    """

    def __init__(self, tools: Sequence[Tool]) -> None:
        self.choice = Choice(tuple(tools), most=MAX_CALLS)
        self.schema = schema_of(self.choice)
        self.rule = rule_of(self.choice)
        self._checks = {tool.name: _check_of(tool) for tool in tools}

    def read(self, written: str) -> Answer:
        """What a model wrote, taken apart. One that is no object with calls is all text."""
        document = _document(written)
        if document is None:
            return Answer(written)
        text, called = document.get("text"), document.get("calls")
        calls = [self._call(each) for each in called] if isinstance(called, list) else []
        return Answer(text if isinstance(text, str) else "", tuple(calls[:MAX_CALLS]))

    def _call(self, called: Any) -> Call:
        name = called.get("name") if isinstance(called, dict) else None
        if not isinstance(name, str):
            return Call("", {}, "the call names no function")
        if name not in self._checks:
            return Call(name[:64], {}, "no such function was declared")
        arguments = _arguments(called.get("arguments", {}))
        if arguments is None:
            return Call(name, {}, "its arguments are no object")
        fits = self._checks[name].holds(arguments)
        return Call(name, arguments, "" if fits else "its arguments are not what its schema says")


def _check_of(tool: Tool) -> SchemaCheck:
    schema = tool.parameters or {"type": "object"}
    try:
        msgspec.msgpack.encode(schema)
    except OverflowError:
        raise BadSchema(f"a number in the schema of {tool.name} is too large") from None
    return SchemaCheck(schema)


def _document(written: str) -> dict[str, Any] | None:
    """The object that ``written`` is, or that stands in a fence of Markdown."""
    begin, end = written.find("{"), written.rfind("}")
    around = (written[:begin] + written[end + 1 :]).replace("json", "").strip("`\n\r\t ")
    if not 0 <= begin < end or around:
        return None
    try:
        document = msgspec.json.decode(written[begin : end + 1])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return document if isinstance(document, dict) and {"text", "calls"} & set(document) else None


def _arguments(value: Any) -> dict[str, Any] | None:
    """Arguments as an object; some models write JSON into a string."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
    return value if isinstance(value, dict) else None
