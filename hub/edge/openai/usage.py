"""How many tokens a request took: as the engine counted them, else estimated and called so. Pure."""

from collections.abc import Iterable
from math import ceil

from pydantic import BaseModel

from protocols.messages.chat import ChatDone

CHARS_PER_TOKEN = 4
"""Of English text, by most vocabularies."""


class Usage(BaseModel):
    """Tokens. ``estimated`` stands there, and is true, where the engine does not count."""

    prompt_tokens: int
    completion_tokens: int = 0
    total_tokens: int
    estimated: bool = False


def estimated(texts: Iterable[str]) -> int:
    """About how many tokens texts have."""
    return ceil(sum(map(len, texts)) / CHARS_PER_TOKEN)


def usage_of(done: ChatDone, asked: Iterable[str], written: str) -> Usage:
    """Of a text that answers ``asked``."""
    counted = done.prompt_tokens > 0
    prompt = done.prompt_tokens if counted else estimated(asked)
    completion = done.completion_tokens if counted else estimated([written])
    total = prompt + completion
    usage = Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=total)
    return usage if counted else usage.model_copy(update={"estimated": True})
