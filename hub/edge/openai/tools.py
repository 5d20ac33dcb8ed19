"""Functions that a model may call, for engines that know nothing of functions: the model writes JSON
that says whom it calls and what it says, held to a schema where its engine can hold it. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from hub.edge.openai.chat_bodies import Function, JsonObject, NamedTool, Tool
from hub.errors import JobError

MAX_CALLS = 16
"""Calls of one answer."""
_NO_ARGUMENTS: JsonObject = {"type": "object", "properties": {}}
_DEFINITIONS = ("$defs", "definitions")


class Choice(NamedTuple):
    """What the model may call, and whether it must."""

    functions: tuple[Function, ...] = ()
    must: bool = False
    most: int = MAX_CALLS

    @property
    def names(self) -> frozenset[str]:
        """Of the functions."""
        return frozenset(function.name for function in self.functions)


NO_CHOICE = Choice()


class Call(NamedTuple):
    """The model calls a function; ``arguments`` is JSON."""

    id: str
    name: str
    arguments: str


def choice_of(
    tools: Sequence[Tool] | None, choice: str | NamedTool | None, parallel: bool | None
) -> Choice:
    """What a request lets the model call.

    Raises:
        ValueError: it must call what is not declared, or two functions have one name.
    """
    functions = tuple(tool.function for tool in tools or ())
    names = [function.name for function in functions]
    if len(set(names)) < len(names):
        raise ValueError("two functions have the same name")
    most = 1 if parallel is False else MAX_CALLS
    match choice:
        case NamedTool(function=named):
            chosen = tuple(each for each in functions if each.name == named.name)
            if not chosen:
                raise ValueError(f"no function {named.name!r} is declared in tools")
            return Choice(chosen, must=True, most=1)
        case "none":
            return NO_CHOICE
        case "required":
            if not functions:
                raise ValueError("no function is declared in tools")
            return Choice(functions, must=True, most=most)
        case _:
            return Choice(functions, most=most)


def rule_of(choice: Choice) -> str:
    """What the model is told of the functions. Their arguments stand in the schema, which it is
    told as well."""
    told = "\n".join(
        f"- {function.name}: {function.description or 'no description'}"
        for function in choice.functions
    )
    how = (
        "List the calls in `calls`."
        if choice.must
        else "List the calls in `calls`, and leave it empty where none is needed: then write your "
        "answer in `text`. What a function has answered already is not asked again."
    )
    return f"You can have these functions called:\n{told}\n{how}"


def schema_of(choice: Choice, text: JsonObject | None = None) -> JsonObject:
    """The schema of what the model writes; ``text`` is that of its answer, where it has one. What
    is called comes first, so that the answer can be told while it is written."""
    shared: JsonObject = {}
    calls = [
        _call_schema(function, place, shared) for place, function in enumerate(choice.functions)
    ]
    listed: JsonObject = {
        "type": "array",
        "items": calls[0] if len(calls) == 1 else {"anyOf": calls},
        "maxItems": choice.most,
    }
    if choice.must:
        listed["minItems"] = 1
    said = {} if choice.must else {"text": _text_schema(text, shared)}
    schema = _object({"calls": listed, **said})
    return {**schema, "$defs": shared} if shared else schema


def _text_schema(text: JsonObject | None, shared: JsonObject) -> JsonObject:
    if text is None:
        return {"type": "string"}
    # Where something is called there is no answer yet.
    return {"anyOf": [_hoisted(text, "text", shared), {"type": "null"}]}


def _call_schema(function: Function, place: int, shared: JsonObject) -> JsonObject:
    arguments = _hoisted(function.parameters or _NO_ARGUMENTS, f"f{place}", shared)
    return _object({"name": {"type": "string", "enum": [function.name]}, "arguments": arguments})


def _object(properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _hoisted(schema: JsonObject, prefix: str, shared: JsonObject) -> JsonObject:
    """``schema`` as a part of a larger one: what it defines goes to ``shared``, under names of its
    own, since references count from the root."""
    inner = {key: value for key, value in schema.items() if key not in _DEFINITIONS}
    for word in _DEFINITIONS:
        definitions = schema.get(word)
        if isinstance(definitions, Mapping):
            for name, value in definitions.items():
                shared[f"{prefix}_{name}"] = _referring(value, prefix)
    moved: JsonObject = _referring(inner, prefix)
    return moved


def _referring(value: Any, prefix: str) -> Any:
    """``value`` with its references to definitions turned to where those have gone."""
    if isinstance(value, Mapping):
        return {
            key: _moved(each, prefix) if key == "$ref" else _referring(each, prefix)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_referring(each, prefix) for each in value]
    return value


def _moved(reference: Any, prefix: str) -> Any:
    if isinstance(reference, str):
        for word in _DEFINITIONS:
            if reference.startswith(f"#/{word}/"):
                return f"#/$defs/{prefix}_{reference.removeprefix(f'#/{word}/')}"
    return reference


def calls_of(listed: Any, choice: Choice) -> tuple[Call, ...]:
    """The calls that a model has written.

    Raises:
        JobError: they are none, or of functions that it may not call (``llm_nonsense``).
    """
    if not isinstance(listed, list) or not all(_is_call(each, choice) for each in listed):
        raise JobError("the model wrote no calls of the functions it was given", "llm_nonsense")
    if choice.must and not listed:
        raise JobError("the model called no function, and was to", "llm_nonsense")
    # Further calls than may be made are asked for again, once the first have been answered.
    return tuple(
        Call(f"call_{uuid4().hex[:24]}", each["name"], _written(each.get("arguments", {})))
        for each in listed[: choice.most]
    )


def _is_call(value: Any, choice: Choice) -> bool:
    return isinstance(value, Mapping) and value.get("name") in choice.names


def _written(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments  # some models write JSON into a string, as clients get it
    return json.dumps(arguments, ensure_ascii=False)


def as_written(calls: Sequence[Call], text: str) -> str:
    """Calls of a conversation so far, as the model that made them would have written them."""
    listed = [{"name": call.name, "arguments": _read(call.arguments)} for call in calls]
    return json.dumps({"calls": listed, "text": text}, ensure_ascii=False)


def _read(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
