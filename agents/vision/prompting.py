"""From a chat with pictures to what a language model is asked, and what may be asked at all."""

from collections.abc import Callable, Sequence

from agents.engines.language import requests
from agents.engines.language.base import ChatMessage, Ending, Picture, Prompt
from agents.engines.pictures import portable
from agents.runtime.errors import AgentError
from protocols.messages.chat import ChatEntry, ChatRequest

MAX_PICTURES = 8
MAX_PICTURE_BYTES = 16 << 20
MAX_ALL_BYTES = 32 << 20


def check(request: ChatRequest) -> None:
    """Raise ``AgentError`` if the chat cannot be gone on with: ``bad_chat``, ``bad_schema``,
    ``too_many_pictures`` or ``too_large``."""
    pictures = [picture for entry in request.messages for picture in entry.pictures]
    if len(pictures) > MAX_PICTURES:
        raise AgentError(
            f"{len(pictures)} pictures came, {MAX_PICTURES} are allowed", "too_many_pictures"
        )
    size = sum(picture.size_bytes for picture in pictures)
    if size > MAX_ALL_BYTES:
        raise AgentError(f"{size} bytes of pictures came, {MAX_ALL_BYTES} are allowed", "too_large")
    requests.check(request)


def prompt_of(
    request: ChatRequest, pictures: Sequence[Sequence[bytes]], ended: Callable[[Ending], None]
) -> Prompt:
    """Blocking. The prompt for ``request``.

    Args:
        request: the chat.
        pictures: the encoded pictures of each of its messages.
        ended: hears how the text ended.

    Raises:
        AgentError: ``bad_picture``; one of them is none, or too large.
    """
    messages = [
        _message(entry, shown) for entry, shown in zip(request.messages, pictures, strict=True)
    ]
    return requests.prompt_for(request, messages, ended)


def _message(entry: ChatEntry, shown: Sequence[bytes]) -> ChatMessage:
    encoded = tuple(Picture(*portable(data)) for data in shown)
    return ChatMessage(requests.role_of(entry), entry.text, encoded)
