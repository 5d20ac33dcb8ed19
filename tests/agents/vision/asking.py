"""A hub's end of one job of vision: hands out the pictures that the service asks for."""

from collections.abc import Sequence

from agents.runtime.service import Service
from protocols.envelope import Message
from protocols.messages.blob import SENT_BYTES, BlobRef, BlobSent, BlobWanted
from protocols.messages.job import JobDone
from tests.fakes.two_lists import ListInbox, Outbox


def ref(data: bytes, index: int = 0) -> BlobRef:
    return BlobRef(index=index, size_bytes=len(data), media_type="image/png")


class Desk(Outbox):
    """An emit that answers ``blob.wanted`` as the hub does."""

    def __init__(self, service: Service, inbox: ListInbox, blobs: Sequence[bytes]) -> None:
        super().__init__(service)
        self._inbox = inbox
        self._blobs = blobs

    def __call__(self, message: Message, blob: bytes = b"", *, t_src_ns: int = 0) -> bool:
        if isinstance(message, BlobWanted):
            index, offset = message.index, message.offset
            part = self._blobs[index][offset : offset + SENT_BYTES]
            self._inbox.put(BlobSent(index=index, offset=offset, data=part))
        return super().__call__(message, blob, t_src_ns=t_src_ns)


async def asked(service: Service, request: Message, *blobs: bytes) -> list[Message]:
    """What ``service`` answers to ``request`` that came with ``blobs``, before the job is done."""
    inbox = ListInbox(request)
    desk = Desk(service, inbox, blobs)
    await service.serve(inbox, desk)
    *answers, last = [one for one in desk.messages if not isinstance(one, BlobWanted)]
    assert last == JobDone()
    return answers
