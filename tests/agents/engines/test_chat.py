"""Chats for templates that allow less than others."""

from typing import Any

import pytest

from agents.engines.chat import alternating, check_template, render
from agents.runtime.errors import BackendUnavailable

pytestmark = pytest.mark.engine
jinja2 = pytest.importorskip("jinja2", reason="robot-hub[llm] is not installed")

SYSTEM = {"role": "system", "content": "Be kind."}
USER = {"role": "user", "content": "Hello."}
ROBOT = {"role": "assistant", "content": "Hi."}


class Strict:
    """A tokenizer whose template knows no system and no two messages of one role."""

    chat_template = "…"

    def apply_chat_template(self, chat: list[dict[str, Any]], **options: Any) -> str:
        roles = [message["role"] for message in chat]
        if any(role != ("user", "assistant")[at % 2] for at, role in enumerate(roles)):
            raise jinja2.TemplateError("Conversation roles must alternate")
        return "|".join(message["content"] for message in chat)


def test_a_template_without_a_system_hears_it_from_the_user() -> None:
    assert render(Strict(), [SYSTEM, USER, ROBOT, USER]) == "Be kind.\n\nHello.|Hi.|Hello."


def test_pictures_stay_before_the_words_they_go_with() -> None:
    seen = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Look."}]}
    (message,) = alternating([SYSTEM, seen])
    kinds = [part["type"] for part in message["content"]]
    assert kinds == ["text", "image", "text"]


def test_a_model_that_knows_no_chats_is_refused() -> None:
    with pytest.raises(BackendUnavailable) as caught:
        check_template(object(), "gpt2")
    assert caught.value.code == "llm_no_chat_template"
