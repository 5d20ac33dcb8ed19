"""Forms that a text is held to, and what came of it. Pure."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from hub.edge.fictures.bodies import GuidedDecoding
from hub.edge.schemas import SchemaCheck
from protocols.messages.chat import Guide

_CHOICE = "choice"


class Read(NamedTuple):
    """A text that was to have a form: itself, what it says, and whether it has the form."""

    output: str
    parsed: Any
    is_valid: bool


class Form(NamedTuple):
    """What an engine is held to, and how its text is read; ``read`` takes the text, and whether it
    ended by itself."""

    read: Callable[[str, bool], Read]
    schema: dict[str, Any] | None = None
    guide: Guide | None = None


def form_of(wanted: GuidedDecoding) -> Form:
    """The form that a request asks for.

    Raises:
        BadSchema: its schema is none.
    """
    match wanted.type:
        case "json":
            schema = wanted.json_schema or {}
            check = SchemaCheck(schema)
            return Form(lambda text, whole: _document(text, check), schema=schema)
        case "choice":
            choices = wanted.choices or []
            return Form(lambda text, whole: _choice(text, choices), schema=_schema_of(choices))
        case kind:
            text = (wanted.pattern if kind == "regex" else wanted.grammar) or ""
            # An engine that cannot be held to it refuses the job, so that what it wrote has the
            # form unless it was cut off.
            return Form(
                lambda text, whole: Read(text, text, whole), guide=Guide(kind=kind, text=text)
            )


def _document(text: str, check: SchemaCheck) -> Read:
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return Read(text, None, False)
    return Read(text, document, check.holds(document))


def _schema_of(choices: list[str]) -> dict[str, Any]:
    """Every engine that can be held to anything can be held to a schema, so choices are one."""
    return {
        "type": "object",
        "properties": {_CHOICE: {"type": "string", "enum": choices}},
        "required": [_CHOICE],
        "additionalProperties": False,
    }


def _choice(text: str, choices: list[str]) -> Read:
    """The choice in ``text``, bare or as its schema has it."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        document = None
    chosen = document.get(_CHOICE) if isinstance(document, dict) else text.strip()
    if chosen in choices:
        return Read(chosen, chosen, True)
    return Read(text, None, False)
