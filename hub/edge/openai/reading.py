"""What a model has written, read while it is written: its words at once, its calls at the end. Pure.

Engines that cannot be held to JSON write it as models like to: inside a fence of Markdown, or not at
all.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from pydantic_core import from_json

from hub.edge.openai.tools import Call, Choice, calls_of
from hub.errors import JobError

_FENCE = "```"
_PARSES = 64
"""A text is looked at again when so many parts of it have come anew: reading it whole for every
piece would take the square of its length."""


class End(NamedTuple):
    """What of a text was left to tell at its end, and whom it calls."""

    text: str = ""
    calls: tuple[Call, ...] = ()


class Reader(Protocol):
    """Reads one answer."""

    def feed(self, piece: str) -> str:
        """What can be told of the answer's words now."""

    def finish(self, cut: bool) -> End:
        """The rest. ``cut``: the text ended at its limit.

        Raises:
            JobError: it is not what it had to be (``llm_nonsense``).
        """


class PlainReader:
    """Every word is the answer."""

    def feed(self, piece: str) -> str:
        """See ``Reader``."""
        return piece

    def finish(self, cut: bool) -> End:
        """See ``Reader``."""
        return End()


class JsonReader:
    """The answer is JSON that ``holds``, and nothing else of what was written."""

    def __init__(self, holds: Callable[[Any], bool]) -> None:
        self._holds = holds
        self._told: list[str] = []
        self._held = ""
        self._begun = False

    def feed(self, piece: str) -> str:
        """See ``Reader``."""
        self._held += piece
        if not self._begun:
            opened = _opened(self._held)
            if opened is None:
                return ""
            self._begun, self._held = True, opened
        kept = self._held.rstrip(" \t\r\n`")
        told, self._held = kept, self._held[len(kept) :]
        self._told.append(told)
        return told

    def finish(self, cut: bool) -> End:
        """See ``Reader``."""
        rest = self._held if not self._begun else ""
        whole = "".join(self._told) + rest
        if not cut and not self._obeys(whole):
            raise JobError("what the model wrote does not obey the schema", "llm_nonsense")
        return End(rest)

    def _obeys(self, text: str) -> bool:
        try:
            return self._holds(from_json(text, allow_inf_nan=False))
        except ValueError:
            return False


class ToolReader:
    """The answer is the text of an object that lists calls, too; words without any object are an
    answer as well, where none had to be called."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._written = ""
        self._parsed_at = 0
        self._told = 0
        self._is_object: bool | None = None

    def feed(self, piece: str) -> str:
        """See ``Reader``."""
        if self._is_object is False:
            return piece
        self._written += piece
        if self._is_object is None:
            opened = _opened(self._written)
            if opened is None:
                return ""
            self._is_object = opened.startswith("{") or self._choice.must
            if not self._is_object:
                return self._written
        if (len(self._written) - self._parsed_at) * _PARSES < len(self._written):
            return ""
        self._parsed_at = len(self._written)
        return self._news(_parsed(self._written, partial=True))

    def finish(self, cut: bool) -> End:
        """See ``Reader``."""
        if self._is_object is False:
            return End()
        found = _parsed(self._written, partial=cut)
        if not isinstance(found, dict):
            if self._choice.must or self._told:
                raise JobError("the model wrote no calls", "llm_nonsense")
            return End(self._written)
        if found.get("name") in self._choice.names:
            found = {"calls": [found]}
        # What was cut off in the middle of a call is no call: its arguments would be others.
        calls = () if cut else calls_of(found.get("calls", []), self._choice)
        return End(self._news(found) or self._document(found, calls), calls)

    def _news(self, found: Any) -> str:
        text = found.get("text") if isinstance(found, dict) else None
        if not isinstance(text, str):
            return ""
        news, self._told = text[self._told :], max(self._told, len(text))
        return news

    def _document(self, found: dict[str, Any], calls: tuple[Call, ...]) -> str:
        """An answer that has a schema of its own: it is told whole, and instead of calls."""
        text = found.get("text")
        if calls or text is None or isinstance(text, str):
            return ""
        return json.dumps(text, ensure_ascii=False)


def _opened(written: str) -> str | None:
    """``written`` from where its JSON begins; None while that is not certain."""
    text = written.lstrip()
    if not text or (len(text) < len(_FENCE) and _FENCE.startswith(text)):
        return None
    if not text.startswith(_FENCE):
        return text
    _, newline, inside = text.partition("\n")
    return inside.lstrip() or None if newline else None


def _parsed(written: str, partial: bool) -> Any:
    text = (_opened(written) or "").rstrip(" \t\r\n`")
    try:
        return from_json(
            text, allow_inf_nan=False, allow_partial="trailing-strings" if partial else False
        )
    except ValueError:
        return None
