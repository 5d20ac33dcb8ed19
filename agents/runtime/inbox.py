"""The messages of one scope on their way to ``serve``: bounded, in order, never blocking."""

import asyncio
from collections import deque
from collections.abc import Callable

from agents.runtime.errors import InboxOverrun
from agents.runtime.service import Item
from protocols.envelope import AnyEnvelope
from protocols.qos import QOS, Overflow, Qos, QosClass
from protocols.topics import CATALOG, topic_name

NOMINAL_BYTES = 256
"""What a message without a blob counts against a bound in bytes."""

Count = Callable[[str], None]


class ScopeInbox:
    """A bounded queue with one reader; what may wait of each QoS class stands in ``protocols.qos``.

    Media at their bound lose their oldest, counted by name. Control is never lost: its bound is
    reached only by a service that does not read, and then the scope fails.
    """

    def __init__(self, count: Count) -> None:
        self._count = count
        self._items: deque[tuple[QosClass, int, Item]] = deque()
        self._waiting: dict[QosClass, tuple[int, int]] = {}
        self._arrived = asyncio.Event()
        self._closed = False
        self.last_id = 0
        """Id of the message that was read last."""

    def put(self, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        """Append a message; after ``close`` it is thrown away and counted.

        Raises:
            InboxOverrun: a class that must not be dropped is at its bound.
        """
        if self._closed:
            self._count("closed_inbox")
            return
        name = topic_name(type(envelope.body))
        qos_class = CATALOG[name].qos
        size = len(blob) or NOMINAL_BYTES
        if not self._make_room(qos_class, size):
            return
        self._add(qos_class, 1, size)
        self._items.append((qos_class, size, Item(envelope, blob)))
        self._arrived.set()

    def close(self) -> None:
        """No message follows; what is in the inbox is still read."""
        self._closed = True
        self._arrived.set()

    def __aiter__(self) -> "ScopeInbox":
        return self

    async def __anext__(self) -> Item:
        while not self._items:
            if self._closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        qos_class, size, item = self._items.popleft()
        self._add(qos_class, -1, -size)
        self.last_id = item.envelope.id
        return item

    def _make_room(self, qos_class: QosClass, size: int) -> bool:
        """Whether the newcomer may enter, after what its class gives up for it."""
        qos = QOS[qos_class]
        while not self._fits(qos, qos_class, size):
            match qos.overflow:
                case Overflow.DROP_OLDEST | Overflow.KEEP_LAST:
                    if not self._drop_oldest(qos_class):
                        return True
                    self._count(f"inbox.{qos_class}")
                case Overflow.DROP_NEWEST:
                    self._count(f"inbox.{qos_class}")
                    return False
                case _:
                    raise InboxOverrun(f"more than {qos.bound_bytes} bytes of {qos_class} unread")
        return True

    def _fits(self, qos: Qos, qos_class: QosClass, size: int) -> bool:
        messages, used = self._waiting.get(qos_class, (0, 0))
        return not (
            (qos.bound_bytes and used + size > qos.bound_bytes)
            or (qos.bound_messages and messages + 1 > qos.bound_messages)
        )

    def _drop_oldest(self, qos_class: QosClass) -> bool:
        for index, (of, size, _) in enumerate(self._items):
            if of is qos_class:
                del self._items[index]
                self._add(qos_class, -1, -size)
                return True
        return False

    def _add(self, qos_class: QosClass, messages: int, size: int) -> None:
        now_messages, now_size = self._waiting.get(qos_class, (0, 0))
        self._waiting[qos_class] = now_messages + messages, now_size + size
