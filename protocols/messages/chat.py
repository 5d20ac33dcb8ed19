"""Text on request: a chat, with pictures if it has any, is gone on with. A job of the planner's
model, and of vision's where pictures are to be understood."""

from typing import Any

import msgspec

from protocols.envelope import Message
from protocols.messages.blob import BlobRef


class ChatEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message of a chat. ``role`` is ``system``, ``user``, ``assistant`` or ``tool``;
    ``pictures`` came with it."""

    role: str
    text: str
    pictures: tuple[BlobRef, ...] = ()


class Guide(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole text must match. ``kind`` is ``regex``, or ``grammar``: EBNF as GBNF writes it,
    beginning at its rule ``root``."""

    kind: str
    text: str


class ChatRequest(Message, tag="chat.request"):
    """Order: write the next message of a chat. None and empty: as the engine is set.

    ``schema`` is a JSON schema that the text must obey, ``guide`` another form for it; not both. An
    engine that cannot hold its model to a guide refuses it. The text may take ``timeout_s`` in all.
    ``whole``: nobody reads it before it is complete, so it is told then.
    """

    messages: tuple[ChatEntry, ...]
    schema: dict[str, Any] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    guide: Guide | None = None
    timeout_s: float | None = None
    whole: bool = False


class ChatDelta(Message, tag="chat.delta"):
    """The next piece of the text."""

    text: str


class ChatDone(Message, tag="chat.done"):
    """The text is complete. Tokens are counted by the engine, 0 where it does not say."""

    finish_reason: str = "stop"
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
