"""From a chat that a job asks to be gone on with to the prompt of a language model."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from agents.engines.language.base import BAD_GUIDE, ChatMessage, Ending, Prompt, Schema
from agents.runtime.errors import AgentError
from protocols.messages.chat import ChatEntry, ChatRequest, Guide

MAX_SCHEMA_CHARS = 64 * 1024
MAX_SCHEMA_DEPTH = 32
MAX_GUIDE_CHARS = 16 * 1024

_ROLES = {"system": "system", "assistant": "assistant"}
"""What a tool says is told by the user, as far as models that see are concerned."""
_GUIDED = {
    "regex": "Answer with a text that as a whole matches this regular expression, and nothing else: ",
    "grammar": "Answer with a text of this grammar (EBNF), and nothing else:\n",
}


def check(request: ChatRequest) -> None:
    """Raise ``AgentError`` if the chat cannot be gone on with: ``bad_chat``, ``bad_schema`` or
    ``bad_guide``."""
    if not any(entry.role != "system" for entry in request.messages):
        raise AgentError("a chat of at least one message of a user is expected", "bad_chat")
    if request.schema is not None:
        _check_schema(request.schema)
    if request.guide is not None:
        _check_guide(request.guide, alone=request.schema is None)


def role_of(entry: ChatEntry) -> str:
    """The role of a message, as models know roles."""
    return _ROLES.get(entry.role, "user")


def prompt_for(
    request: ChatRequest, messages: Sequence[ChatMessage], ended: Callable[[Ending], None]
) -> Prompt:
    """The prompt for ``request``, whose messages are ``messages``; ``ended`` hears how the text
    ended. The schema stands in its rules, too, for engines that cannot hold a model to it."""
    schema = None
    if request.schema is not None:
        schema = Schema("answer", request.schema)
        messages = _with_rule(messages, _rule(request.schema))
    if request.guide is not None:
        messages = _with_rule(messages, _GUIDED[request.guide.kind] + request.guide.text)
    return Prompt(
        messages=messages,
        schema=schema,
        temperature=request.temperature,
        max_tokens=request.max_tokens,
        top_p=request.top_p,
        stop=request.stop,
        seed=request.seed,
        guide=request.guide,
        timeout_s=request.timeout_s,
        ended=ended,
    )


def _rule(schema: dict[str, Any]) -> str:
    written = json.dumps(schema, ensure_ascii=False)
    return f"Answer with JSON that obeys this JSON schema, and with nothing else: {written}"


def _with_rule(messages: Sequence[ChatMessage], rule: str) -> list[ChatMessage]:
    """``messages`` with a rule in the one system message that many chat templates allow."""
    first, *rest = messages
    if first.role != "system":
        return [ChatMessage("system", rule), first, *rest]
    return [first._replace(text=f"{first.text}\n\n{rule}".strip()), *rest]


def _check_guide(guide: Guide, *, alone: bool) -> None:
    if guide.kind not in _GUIDED:
        raise AgentError(f"a guide is one of {', '.join(_GUIDED)}", BAD_GUIDE)
    if not alone:
        raise AgentError("a text obeys a schema or a guide, not both", BAD_GUIDE)
    if not guide.text.strip() or "\0" in guide.text or len(guide.text) > MAX_GUIDE_CHARS:
        raise AgentError(f"a {guide.kind} has 1 to {MAX_GUIDE_CHARS} characters", BAD_GUIDE)


def _check_schema(schema: dict[str, Any]) -> None:
    level: list[Any] = [schema]
    for _ in range(MAX_SCHEMA_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list | tuple)
        ]
        if not level:
            break
    else:
        raise AgentError(f"it is deeper than {MAX_SCHEMA_DEPTH} levels", "bad_schema")
    if len(json.dumps(schema)) > MAX_SCHEMA_CHARS:
        raise AgentError(f"it has more than {MAX_SCHEMA_CHARS} characters", "bad_schema")
