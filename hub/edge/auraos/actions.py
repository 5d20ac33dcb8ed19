"""Actions on a desktop: a closed set with limits, and how it is found in what a model wrote. Pure."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StrictInt, TypeAdapter, ValidationError

MAX_ACTIONS = 10
UNSURE = 0.5
"""Confidence of an action whose model does not say: clients act on more than this."""
_MAX_TRIES = 20
"""How many brackets of a text are tried as the beginning of JSON."""
_LISTS = ("actions", "action_list", "steps")


class _Action(BaseModel):
    model_config = ConfigDict(extra="ignore")

    why: str | None = Field(default=None, max_length=1_000)
    explanation: str | None = Field(default=None, max_length=1_000)
    confidence: float = Field(default=UNSURE, ge=0, le=1)


class Click(_Action):
    """A click, in pixels of the picture that was sent."""

    action: Literal["click"] = "click"
    x: StrictInt = Field(ge=0)
    y: StrictInt = Field(ge=0)


class Type(_Action):
    """Text that is typed."""

    action: Literal["type"] = "type"
    text: str = Field(max_length=1_000)


class Key(_Action):
    """A key, or several at once."""

    action: Literal["key"] = "key"
    key: str = Field(min_length=1, max_length=50)


class Scroll(_Action):
    """Scrolling; down is positive or negative as the client has it."""

    action: Literal["scroll"] = "scroll"
    amount: StrictInt = Field(ge=-10_000, le=10_000)


class Wait(_Action):
    """A pause."""

    action: Literal["wait"] = "wait"
    seconds: float = Field(ge=0, le=300)


class Nothing(_Action):
    """Nothing is to be done."""

    action: Literal["none"] = "none"


GuiAction = Annotated[Click | Type | Key | Scroll | Wait | Nothing, Field(discriminator="action")]
AnyAction = Click | Type | Key | Scroll | Wait | Nothing
_READER: TypeAdapter[AnyAction] = TypeAdapter(GuiAction)


class Found(NamedTuple):
    """Actions of a text, and how many more it had that nobody may carry out."""

    actions: tuple[AnyAction, ...] = ()
    refused: int = 0


def actions_schema(width: int, height: int) -> dict[str, Any]:
    """What a model's answer must be: actions, with clicks inside ``width`` × ``height`` pixels."""
    sure = {"type": "number", "minimum": 0, "maximum": 1}
    texts = {"type": "string", "maxLength": 300}

    def one(name: str, **fields: dict[str, Any]) -> dict[str, Any]:
        properties = {"action": {"const": name}, **fields, "confidence": sure, "explanation": texts}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    x = {"type": "integer", "minimum": 0, "maximum": max(0, width - 1)}
    y = {"type": "integer", "minimum": 0, "maximum": max(0, height - 1)}
    kinds = [
        one("click", x=x, y=y),
        one("type", text={"type": "string", "maxLength": 1_000}),
        one("key", key={"type": "string", "minLength": 1, "maxLength": 50}),
        one("scroll", amount={"type": "integer", "minimum": -10_000, "maximum": 10_000}),
        one("wait", seconds={"type": "number", "minimum": 0, "maximum": 300}),
        one("none"),
    ]
    listed = {"type": "array", "items": {"anyOf": kinds}, "minItems": 1, "maxItems": MAX_ACTIONS}
    return {
        "type": "object",
        "properties": {"actions": listed},
        "required": ["actions"],
        "additionalProperties": False,
    }


def actions_in(text: str, width: int = 0, height: int = 0) -> Found:
    """The actions that ``text`` holds as JSON, bare or inside other words; a single object is a
    list of one. What is outside of the set, its limits or the picture is refused.

    Args:
        text: what the model wrote.
        width: of the picture in pixels; 0: there is none, and nothing can be clicked.
        height: likewise.
    """
    for document in _documents(text):
        items = _items(document)
        if items is None:
            continue
        found = [_action(item, width, height) for item in items]
        kept = tuple(each for each in found if each is not None)[:MAX_ACTIONS]
        return Found(kept, len(items) - len(kept))
    return Found()


def _items(document: Any) -> list[Any] | None:
    """What may be actions; None if ``document`` is something else altogether."""
    if isinstance(document, list):
        return document if any(isinstance(item, dict) for item in document) else None
    for name in _LISTS:
        if isinstance(document.get(name), list):
            listed: list[Any] = document[name]
            return listed
    return [document] if "action" in document else None


def _action(item: Any, width: int, height: int) -> AnyAction | None:
    try:
        action = _READER.validate_python(_whole_numbers(item))
    except ValidationError:
        return None
    if isinstance(action, Click) and not (action.x < width and action.y < height):
        return None
    return action


def _whole_numbers(item: Any) -> Any:
    """``item`` with 12.0 as 12: models write coordinates so."""
    if not isinstance(item, dict):
        return item
    return {
        key: int(value)
        if isinstance(value, float) and value.is_integer() and key in _WHOLE
        else value
        for key, value in item.items()
    }


_WHOLE = frozenset({"x", "y", "amount"})


def _documents(text: str) -> Iterator[Any]:
    """Every object and list in ``text``, from the first bracket of each on."""
    decoder, at = json.JSONDecoder(), 0
    for _ in range(_MAX_TRIES):
        starts = [place for sign in "{[" if (place := text.find(sign, at)) >= 0]
        if not starts:
            return
        try:
            document, at = decoder.raw_decode(text, min(starts))
        except (ValueError, RecursionError):
            at = min(starts) + 1
            continue
        if isinstance(document, dict | list):
            yield document
