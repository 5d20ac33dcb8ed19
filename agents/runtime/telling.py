"""How a program is told what a model writes for it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from agents.runtime.parts import in_parts
from agents.runtime.service import Emit
from protocols.messages.chat import ChatDelta, ChatRequest


async def tell(
    pieces: AsyncGenerator[str, None], request: ChatRequest, emit: Emit, most_chars: int
) -> None:
    """Tell the text as it is written, or at its end where it is read as a whole: a piece costs the
    hub as much as a message of a robot. Past ``most_chars`` the model is stopped."""
    kept: list[str] = []
    written = 0
    async with aclosing(pieces):
        async for piece in pieces:
            written += len(piece)
            if request.whole:
                kept.append(piece)
            else:
                await _tell(piece, emit)
            if written > most_chars:
                break
    await _tell("".join(kept), emit)


async def _tell(text: str, emit: Emit) -> None:
    async for part in in_parts(text):
        emit(ChatDelta(text=part))
