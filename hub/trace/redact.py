"""What a message says without the words in it: the only form in which a trace holds it.

Numbers, booleans and enums stay. A string stays if its field holds a name by convention (an id, a
code, an emotion …) and it looks like one; everything else that is a string is taken out, and so is
every mapping that is not of numbers by name. So a new field of a new message says nothing until
its name is listed here.
"""

import re
import types
import typing
from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import msgspec

from protocols.messages.blob import BlobSent

M = TypeVar("M", bound=msgspec.Struct)

NAMES = frozenset(
    {
        "action", "backend", "call", "client", "code", "consumes", "emotion", "emotions",
        "fallback", "finish_reason", "gestures", "hub_id", "id", "intent", "language", "model",
        "mood", "name", "names", "orphaned_tools", "outcome", "produces", "reason", "responder", "role",
        "session", "skills", "step", "unit",
    }
)  # fmt: skip
"""Fields whose strings are names, not words."""

_NAME = re.compile(r"[A-Za-z0-9._:+/-]{0,64}")

_Redact = Callable[[Any], Any]


def redacted(message: M) -> M:
    """``message`` without words: itself if it holds none."""
    changes = {}
    for field, redact in _plan(type(message)):
        value = getattr(message, field)
        if value and (kept := redact(value)) != value:
            changes[field] = kept
    return msgspec.structs.replace(message, **changes) if changes else message


@cache
def _plan(kind: type[msgspec.Struct]) -> tuple[tuple[str, _Redact], ...]:
    """The fields of a class that may hold words, and how each loses them."""
    hints = typing.get_type_hints(kind)
    found = ((name, _redactor(name, hints[name])) for name in kind.__struct_fields__)
    return tuple((name, redact) for name, redact in found if redact is not None)


def _redactor(field: str, kind: Any) -> _Redact | None:
    """What takes the words out of a value annotated ``kind``; None if there can be none."""
    if isinstance(kind, type) and typing.get_origin(kind) is None:
        return _redactor_of_class(field, kind)
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and args[-1] is Ellipsis:
        return _each(_redactor(field, args[0]))
    if origin is dict and args in ((str, int), (str, float), (str, bool)):
        return _named_numbers
    if origin in (typing.Union, types.UnionType):
        rest = [_redactor(field, a) for a in args if a is not type(None)]
        return next((r for r in rest if r is not None), None)
    return _nothing


def _redactor_of_class(field: str, kind: type) -> _Redact | None:
    if issubclass(kind, Enum) or kind in (int, float, bool, type(None)):
        return None
    if kind is str:
        return _name if field in NAMES else _nothing
    if issubclass(kind, msgspec.Struct):
        return redacted if _plan(kind) else None
    return _nothing


def _each(redact: _Redact | None) -> _Redact | None:
    if redact is None:
        return None
    if redact is _nothing:
        return _nothing
    return lambda values: tuple(map(redact, values))


def _name(value: str) -> str:
    return value if _NAME.fullmatch(value) else ""


def _named_numbers(value: dict[str, Any]) -> dict[str, Any]:
    return {key: number for key, number in value.items() if _NAME.fullmatch(key)}


def _nothing(value: Any) -> Any:
    """An empty value of the same kind; what may be anything becomes nothing."""
    return type(value)() if isinstance(value, str | bytes | dict | tuple) else None


def without_bytes(message: M) -> M:
    """What a recording keeps of a command: words, but none of the pictures and documents that jobs
    bring along."""
    return msgspec.structs.replace(message, data=b"") if isinstance(message, BlobSent) else message


def redacted_reason(reason: str) -> str:
    """Why a connection closed, if that is a name: a peer may write what it likes."""
    return _name(reason)
