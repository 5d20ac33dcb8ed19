"""From a program's chat to what a language model is asked."""

from collections.abc import Callable

from agents.engines.language.base import ChatMessage, Ending, Prompt
from agents.engines.language.requests import check, prompt_for, role_of
from agents.runtime.errors import AgentError
from protocols.messages.chat import ChatRequest


def chat_prompt(request: ChatRequest, ended: Callable[[Ending], None]) -> Prompt:
    """The prompt for ``request``; ``ended`` hears how the text ended.

    Raises:
        AgentError: it cannot be gone on with (``bad_chat``, ``bad_schema``), or not here: pictures
            are for the vision agent (``bad_chat``).
    """
    check(request)
    if any(entry.pictures for entry in request.messages):
        raise AgentError("a chat with pictures is for the vision agent", "bad_chat")
    messages = [ChatMessage(role_of(entry), entry.text) for entry in request.messages]
    return prompt_for(request, messages, ended)
