"""A chat's answer for whoever wants it whole, for as long as they are there."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NamedTuple

from starlette.requests import Request

from hub.edge.disconnect import while_connected
from protocols.messages.chat import ChatDelta, ChatDone

Chat = AsyncGenerator[ChatDelta | ChatDone, None]


class Written(NamedTuple):
    """A text that is complete."""

    text: str
    done: ChatDone

    @property
    def tokens(self) -> int:
        """How many tokens were written; 0 where the engine does not say."""
        return self.done.completion_tokens


async def written(request: Request, chat: Chat) -> Written:
    """All that ``chat`` says; it is left if the client of ``request`` goes away.

    Raises:
        ClientGone: the client did.
        JobError: the job failed.
    """
    return await while_connected(request, whole(chat))


async def whole(chat: Chat) -> Written:
    """All that ``chat`` says; raises ``JobError``."""
    pieces: list[str] = []
    done = ChatDone()
    async with aclosing(chat):
        async for told in chat:
            if isinstance(told, ChatDelta):
                pieces.append(told.text)
            else:
                done = told
    return Written("".join(pieces), done)
