"""Bytes of jobs on the agent's side: taken part by part, handed out on demand."""

import asyncio

import pytest

from agents.runtime import blobs
from agents.runtime.blobs import BlobMissing, BlobTooLarge, offer, pull
from agents.runtime.service import Emit, Inbox, Scope
from protocols.envelope import Message
from protocols.messages.blob import (
    PART_BYTES,
    SENT_BYTES,
    BlobPart,
    BlobRef,
    BlobSent,
    BlobTaken,
    BlobWant,
    BlobWanted,
)
from tests.fakes.two_lists import ListInbox, Outbox
from tests.virtual_time import virtual

Messages = frozenset[type[Message]]
LIMIT = 1 << 20


class Bytes:
    """The declarations of a service that takes bytes in and hands bytes out."""

    name = "bytes"
    scope = Scope.JOB
    opens: Messages = frozenset()
    consumes: Messages = blobs.PULL | blobs.OFFER
    closes: Messages = blobs.OFFER_ENDS
    produces: Messages = blobs.PULL_ASKS | blobs.OFFER_PARTS

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Nothing: the tests call what is under test themselves."""


def sent(data: bytes, offset: int, index: int = 0) -> BlobSent:
    return BlobSent(index=index, offset=offset, data=data[offset : offset + SENT_BYTES])


def ref(data: bytes, index: int = 0) -> BlobRef:
    return BlobRef(index=index, size_bytes=len(data))


@virtual
async def test_a_blob_is_asked_for_part_by_part() -> None:
    data = bytes(range(256)) * 1200
    inbox = ListInbox(*(sent(data, offset) for offset in range(0, len(data), SENT_BYTES)))
    outbox = Outbox(Bytes())
    assert await pull(inbox, outbox, ref(data), LIMIT) == data
    assert outbox.messages == [
        BlobWanted(index=0, offset=offset) for offset in range(0, len(data), SENT_BYTES)
    ]


@virtual
async def test_parts_of_another_blob_or_place_are_not_taken_for_it() -> None:
    data = b"what was asked for"
    inbox = ListInbox(sent(data, 0, index=1), BlobSent(index=0, offset=5, data=b"x"), sent(data, 0))
    assert await pull(inbox, Outbox(Bytes()), ref(data), LIMIT) == data


@virtual
async def test_an_empty_blob_needs_no_question() -> None:
    outbox = Outbox(Bytes())
    assert await pull(ListInbox(), outbox, ref(b""), LIMIT) == b""
    assert outbox.messages == []


@virtual
async def test_a_blob_beyond_the_limit_is_refused_before_a_byte_of_it() -> None:
    outbox = Outbox(Bytes())
    with pytest.raises(BlobTooLarge, match="5 bytes were sent, 4 are allowed"):
        await pull(ListInbox(), outbox, ref(b"12345"), 4)
    assert outbox.messages == []


@virtual
@pytest.mark.parametrize("data", [b"", b"123456"])
async def test_a_part_that_breaks_the_announced_size_fails_the_job(data: bytes) -> None:
    inbox = ListInbox(BlobSent(index=0, offset=0, data=data))
    with pytest.raises(BlobMissing, match="5 bytes"):
        await pull(inbox, Outbox(Bytes()), ref(b"12345"), LIMIT)


@virtual
async def test_a_part_that_never_comes_fails_the_job() -> None:
    with pytest.raises(BlobMissing, match="did not come beyond its byte 0"):
        await pull(ListInbox(), Outbox(Bytes()), ref(b"12345"), LIMIT)


@virtual
async def test_what_was_made_is_handed_out_until_it_is_taken() -> None:
    made = [b"a" * (PART_BYTES + 10), b"b"]
    inbox = ListInbox(
        BlobWant(index=0, offset=0),
        BlobWant(index=0, offset=PART_BYTES),
        BlobWant(index=0, offset=PART_BYTES),
        BlobWant(index=7, offset=0),
        BlobWant(index=1, offset=0),
        BlobTaken(),
    )
    outbox = Outbox(Bytes())
    await offer(inbox, outbox, made)
    assert [(part.message, len(part.blob)) for part in outbox.sent] == [
        (BlobPart(index=0, offset=0), PART_BYTES),
        (BlobPart(index=0, offset=PART_BYTES), 10),
        (BlobPart(index=0, offset=PART_BYTES), 10),
        (BlobPart(index=1, offset=0), 1),
    ]


@virtual
async def test_what_nobody_asks_for_is_thrown_away_in_the_end() -> None:
    begun = asyncio.get_running_loop().time()
    with pytest.raises(BlobMissing, match="did not take"):
        await offer(ListInbox(), Outbox(Bytes()), [b"a"])
    assert asyncio.get_running_loop().time() - begun == pytest.approx(blobs.OFFER_WAIT_S)
