"""A service without a bus: a list goes in, a list comes out."""

import asyncio
from typing import NamedTuple

from agents.runtime.service import Item, Service
from protocols.envelope import Envelope, Message


class ListInbox:
    """An inbox that a test fills; ``close`` ends it."""

    def __init__(self, *messages: Message) -> None:
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue()
        self._closed = False
        for message in messages:
            self.put(message)

    def put(self, message: Message) -> None:
        self._queue.put_nowait(Item(Envelope(body=message), b""))

    def close(self) -> None:
        self._queue.put_nowait(None)

    def __aiter__(self) -> "ListInbox":
        return self

    async def __anext__(self) -> Item:
        item = None if self._closed else await self._queue.get()
        if item is None:
            self._closed = True
            raise StopAsyncIteration
        return item


class Sent(NamedTuple):
    message: Message
    blob: bytes


class Outbox:
    """An emit that keeps what is sent and refuses what ``service`` did not declare."""

    def __init__(self, service: Service) -> None:
        self._produces = service.produces
        self._more = asyncio.Event()
        self.sent: list[Sent] = []

    def __call__(self, message: Message, blob: bytes = b"", *, t_src_ns: int = 0) -> bool:
        assert type(message) in self._produces, f"{type(message).__name__} is not declared"
        self.sent.append(Sent(message, blob))
        self._more.set()
        return True

    @property
    def messages(self) -> list[Message]:
        return [sent.message for sent in self.sent]

    async def until(self, message: type[Message], count: int = 1) -> None:
        """Wait until ``count`` messages of a class were sent."""
        while sum(isinstance(one, message) for one in self.messages) < count:
            self._more.clear()
            await self._more.wait()


async def served(service: Service, *messages: Message) -> list[Message]:
    """What ``service`` sends for a scope of these messages."""
    inbox, outbox = ListInbox(*messages), Outbox(service)
    inbox.close()
    await service.serve(inbox, outbox)
    return outbox.messages
