"""Settings written into a ``.env`` that people write too: what stands there stays. Pure."""

import io
import re
from collections.abc import Mapping
from typing import NamedTuple

from dotenv.parser import Binding, parse_stream

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]*")


def names_in(text: str) -> frozenset[str]:
    """The names that have a value in the text of a ``.env``, in upper case."""
    bindings = parse_stream(io.StringIO(text))
    return frozenset(b.key.upper() for b in bindings if b.key and b.value)


def broken_line(text: str) -> int:
    """The first line of the text of a ``.env`` that nobody can read, counted from 1; 0 if all can.
    A quote that is never closed would swallow what comes after it."""
    bindings = parse_stream(io.StringIO(text))
    broken = next((binding.original for binding in bindings if binding.error), None)
    if broken is None:
        return 0
    blank = len(broken.string) - len(broken.string.lstrip("\n"))
    return broken.line + blank


class Merged(NamedTuple):
    """The new text; ``kept`` are values that stand there and were not asked for, by their names."""

    text: str
    kept: Mapping[str, str]


def merged(text: str, settings: Mapping[str, str], heading: str, *, force: bool = False) -> Merged:
    """``text`` with ``settings`` in it: what is not there yet comes at the end, under the comment
    ``heading``; another value stays as it is, unless ``force``. Comments and order stay.

    A name without a value counts as not there, as it does for the hub. ``text`` has no broken line.
    """
    bindings = list(parse_stream(io.StringIO(text)))
    last = {b.key.upper(): index for index, b in enumerate(bindings) if b.key}
    kept: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name, value in settings.items():
        stands = bindings[last[name]].value if name in last else None
        if name not in last:
            missing[name] = value
        elif stands == value:
            continue
        elif stands and not force:
            kept[name] = stands
        else:
            bindings[last[name]] = _changed(bindings[last[name]], name, value)
    written = "".join(binding.original.string for binding in bindings)
    return Merged(_with_block(written, missing, heading), kept)


def _changed(binding: Binding, name: str, value: str) -> Binding:
    """``binding`` with another value; its indentation, ``export`` and comment go."""
    old = binding.original.string
    before = old[: len(old) - len(old.lstrip("\r\n"))]
    line = f"{before}{name}={_quoted(value)}\n"
    return binding._replace(value=value, original=binding.original._replace(string=line))


def _with_block(text: str, missing: Mapping[str, str], heading: str) -> str:
    if not missing:
        return text
    if text and not text.endswith("\n"):
        text += "\n"
    between = "\n" if text else ""
    lines = "".join(f"{name}={_quoted(value)}\n" for name, value in missing.items())
    return f"{text}{between}# {heading}\n{lines}"


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
