"""What a process says of its settings: ``python -m agents.runtime.settings_report`` writes it to its
stdout as one JSON document, and the hub says its own in the same words.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

import msgspec
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

HIDDEN = "(set)"
"""What stands for a secret that has a value."""

_SECRET_NAME = re.compile(r"(TOKEN|SECRET|PASSWORD|API_KEYS?)$")
_CREDENTIALS = re.compile(r"//[^/@\s,]*@")
_MARKUP = re.compile(r"``|~?\w*:(?:class|func|mod):")


class SettingRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One setting. Of several ``names`` the first that is set counts; texts are as they would stand
    in a ``.env``, and those of secrets never hold the secret. ``choices`` are the legal values where
    there are but a few. ``problem`` says why the value cannot be meant."""

    names: tuple[str, ...]
    default: str = ""
    value: str = ""
    meaning: str = ""
    choices: tuple[str, ...] = ()
    secret: bool = False
    problem: str = ""


class SettingsReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings of one kind of process. With ``problem`` they could not even be asked for."""

    reader: str
    rows: tuple[SettingRow, ...] = ()
    problem: str = ""


def rows_of(
    model: type[BaseModel],
    values: Mapping[str, object],
    names_of: Callable[[str, FieldInfo], tuple[str, ...]],
    problems: Mapping[str, str],
) -> tuple[SettingRow, ...]:
    """A row for each field of ``model``; the first sentence under a field is its meaning.

    Args:
        values: what each field is, by its name; where one is missing, its default.
        names_of: the environment names of a field.
        problems: why a field's value cannot be meant, by the field's name or one of its names.
    """
    rows = []
    for name, field in model.model_fields.items():
        names = names_of(name, field)
        default = field.get_default(call_default_factory=True, validated_data={})
        default = None if default is PydanticUndefined else default
        secret = is_secret(names, field.annotation)
        value = values.get(name, default)
        rows.append(
            SettingRow(
                names=names,
                default="" if secret else as_text(default),
                value=shown(as_text(value), secret=secret),
                meaning=_first_sentence(field.description or ""),
                choices=tuple(map(str, get_args(field.annotation))) if _is_choice(field) else (),
                secret=secret,
                problem=shown(
                    next((problems[n] for n in (name, *names) if n in problems), ""), secret=False
                ),
            )
        )
    return tuple(rows)


def _is_choice(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is Literal


def is_secret(names: tuple[str, ...], annotation: Any) -> bool:
    """Whether a setting's value is for nobody's eyes, by its type, or else by its name."""
    return "SecretStr" in str(annotation) or any(map(_SECRET_NAME.search, names))


def shown(text: str, *, secret: bool) -> str:
    """``text`` as people may see it: no secret, and no credentials inside an address."""
    if secret:
        return HIDDEN if text else ""
    return _CREDENTIALS.sub("//…@", text)


def as_text(value: object) -> str:
    """A value as it would stand in a ``.env``."""
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return "1" if value else "0"
        case float():
            return f"{value:g}"
        case tuple() | list():
            return ",".join(map(as_text, value))
        case _:
            return str(value)


def _first_sentence(text: str) -> str:
    plain = _MARKUP.sub("", " ".join(text.split()))
    return re.split(r"(?<=[a-z0-9)])\.\s+(?=[A-Z])|;\s", plain, maxsplit=1)[0].rstrip(".")
