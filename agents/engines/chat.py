"""From a chat to the prompt that a model was trained on, by the template in its tokenizer."""

from collections.abc import Sequence
from typing import Any

from agents.runtime.errors import BackendUnavailable

Chat = Sequence[dict[str, Any]]
"""Messages with ``role`` and ``content``."""


def check_template(tokenizer: Any, model: str) -> None:
    """Raise ``BackendUnavailable`` (``llm_no_chat_template``) if the model knows no chats."""
    if not getattr(tokenizer, "chat_template", None):
        raise BackendUnavailable(
            f"{model} has no chat template; an instruction-tuned model is needed",
            "llm_no_chat_template",
        )


def render(tokenizer: Any, chat: Chat, **options: Any) -> Any:
    """``tokenizer.apply_chat_template`` up to where the assistant's words begin.

    Args:
        tokenizer: a tokenizer or a processor of the transformers library.
        chat: the messages.
        options: of the method, and names that the template may use (``enable_thinking``).
    """
    from jinja2 import TemplateError

    try:
        return tokenizer.apply_chat_template(list(chat), add_generation_prompt=True, **options)
    except TemplateError:
        # Some templates (Gemma 2) refuse the role of the system and two messages of one role.
        return tokenizer.apply_chat_template(
            alternating(chat), add_generation_prompt=True, **options
        )


def alternating(chat: Chat) -> list[dict[str, Any]]:
    """``chat`` of user and assistant in turn: what the system says is told by the user, and
    neighbouring messages of one role are one."""
    merged: list[dict[str, Any]] = []
    for message in chat:
        role = "user" if message["role"] == "system" else message["role"]
        if merged and merged[-1]["role"] == role:
            content = _joined(merged[-1]["content"], message["content"])
            merged[-1] = {"role": role, "content": content}
        else:
            merged.append({"role": role, "content": message["content"]})
    return merged


def _joined(first: Any, second: Any) -> Any:
    """Contents are text, or lists of parts where there are pictures."""
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
