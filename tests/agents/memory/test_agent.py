"""The services of the memory agent, with two lists and no bus."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from agents.memory.agent import Documents, Embeddings, Remembrance, Retrieval
from agents.memory.backends.scripted import ScriptedEmbedder
from agents.memory.errors import BadName, BadTexts, NoRobot, UnknownBase
from agents.memory.library import Library
from agents.memory.limits import MAX_DOCUMENT_BYTES, MAX_LISTED
from agents.memory.robots import RobotMemories
from agents.memory.slotted import NoEmbedders
from agents.memory.store import Store
from agents.runtime.blobs import BlobTooLarge
from agents.runtime.errors import BackendUnavailable
from agents.runtime.latch import Latch
from agents.runtime.service import Item
from protocols.envelope import Envelope, Message
from protocols.messages.blob import BlobPart, BlobRef, BlobSent, BlobTaken, BlobWant, BlobWanted
from protocols.messages.job import JobDone
from protocols.messages.memory import (
    BaseEntry,
    DocumentAdd,
    DocumentRemove,
    DocumentsEmbed,
    DocumentsKept,
    DocumentsList,
    DocumentsListed,
    EmbedDone,
    EmbedRequest,
    MemoryConsent,
    MemoryNote,
    MemoryRecall,
    MemoryState,
    RetrieveDone,
    RetrieveRequest,
)
from tests.agents.memory.embedders import Leased
from tests.fakes.two_lists import ListInbox, Outbox, served


def sent(data: bytes) -> BlobSent:
    return BlobSent(index=0, offset=0, data=data)


def ref(data: bytes) -> BlobRef:
    return BlobRef(index=0, size_bytes=len(data))


def texts(*words: str) -> bytes:
    return json.dumps(words).encode()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path)
    yield store
    await store.close()


@pytest.fixture
def library(store: Store) -> Library:
    return Library(store, Leased(ScriptedEmbedder()), Latch())


async def test_vectors_are_named_then_handed_out_then_the_job_is_done() -> None:
    service = Embeddings(Leased(ScriptedEmbedder("m")), Latch())
    data = texts(*(f"text number {n}" for n in range(100)))
    inbox, outbox = ListInbox(EmbedRequest(texts=ref(data)), sent(data)), Outbox(service)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(service.serve(inbox, outbox))
        await outbox.until(EmbedDone)
        inbox.put(BlobWant(index=0, offset=0))
        inbox.put(BlobTaken())
    asked, done, part, end = outbox.sent
    assert isinstance(asked.message, BlobWanted)
    assert isinstance(done.message, EmbedDone)
    assert (done.message.count, done.message.dimensions, done.message.model) == (100, 64, "m")
    assert done.message.tokens == 300
    assert isinstance(part.message, BlobPart)
    vectors = np.frombuffer(part.blob, "<f4").reshape(100, 64)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert len(part.blob) == done.message.vectors.size_bytes
    assert end.message == JobDone()


async def test_what_cannot_be_embedded_says_why() -> None:
    bad = b'{"no": "list"}'
    with pytest.raises(BadTexts):
        await served(
            Embeddings(Leased(ScriptedEmbedder()), Latch()), EmbedRequest(texts=ref(bad)), sent(bad)
        )
    good = texts("hello")
    with pytest.raises(BackendUnavailable, match="none here"):
        await served(
            Embeddings(NoEmbedders("none here"), Latch()), EmbedRequest(texts=ref(good)), sent(good)
        )


async def test_a_document_is_taken_kept_found_and_forgotten(library: Library) -> None:
    documents, data = Documents(library), b"The lion roars at night."
    add = DocumentAdd(base="zoo", name="guide.md", content=ref(data))
    *_, kept, end = await served(documents, add, sent(data))
    one = DocumentsKept(base="zoo", documents=1, chunks=1, touched=1, embedded=1)
    assert (kept, end) == (one, JobDone())
    done, end = await served(Retrieval(library), RetrieveRequest(base="zoo", query="lion"))
    assert isinstance(done, RetrieveDone)
    assert [passage.text for passage in done.passages] == [data.decode()]
    kept, end = await served(documents, DocumentsEmbed(base="zoo"))
    assert kept == DocumentsKept(base="zoo", documents=1, chunks=1, embedded=1)
    kept, end = await served(documents, DocumentRemove(base="zoo"))
    assert kept == DocumentsKept(base="zoo", documents=0, chunks=0, touched=1)
    assert end == JobDone()


async def test_a_document_that_is_too_large_is_refused_before_a_byte_of_it(
    library: Library,
) -> None:
    large = BlobRef(index=0, size_bytes=MAX_DOCUMENT_BYTES + 1)
    with pytest.raises(BlobTooLarge):
        await served(Documents(library), DocumentAdd(base="zoo", name="a", content=large))


async def of_robot(service: Remembrance, robot: str, *orders: Message) -> list[Message]:
    answers: list[Message] = []
    for order in orders:
        outbox = Outbox(service)
        await service.serve(OneOrder(Item(Envelope(robot=robot, body=order), b"")), outbox)
        answers += outbox.messages
    return answers


class OneOrder(ListInbox):
    """An inbox with one order of a robot."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self._item = item

    async def __anext__(self) -> Item:
        return self._item


async def test_orders_are_of_the_robot_of_their_envelope(store: Store) -> None:
    service = Remembrance(RobotMemories(store))
    note = MemoryNote(tags=({"tag": "bears", "category": "topic"},))
    refused, end = await of_robot(service, "r1", note)
    assert (refused, end) == (MemoryState(consent=False, refused=1), JobDone())
    assert service.counters["tags.without_consent"] == 1
    answers = await of_robot(service, "r1", MemoryConsent(granted=True), note, MemoryRecall())
    last = answers[-2]
    assert isinstance(last, MemoryState)
    assert [entry.tag for entry in last.entries] == ["bears"]
    other, _ = await of_robot(service, "r2", MemoryRecall())
    assert other == MemoryState(consent=False)
    with pytest.raises(NoRobot):
        await of_robot(service, "", note)


async def test_documents_and_bases_are_listed_by_name_a_page_at_a_time(library: Library) -> None:
    service = Documents(library)
    for name, text in (("b.md", b"The lion."), ("a.md", b"The ant."), ("c.md", b"The cow.")):
        await library.add("zoo", name, text)
    await library.add("home", "list.md", b"The lamp.")
    listed, end = await served(service, DocumentsList(base="zoo", limit=2))
    assert isinstance(listed, DocumentsListed)
    assert [(each.name, each.chunks, each.size_bytes) for each in listed.documents] == [
        ("a.md", 1, 8),
        ("b.md", 1, 9),
    ]
    assert (listed.base, listed.more, end) == ("zoo", True, JobDone())
    assert all(each.at_s > 1_600_000_000 for each in listed.documents)
    listed, _ = await served(service, DocumentsList(base="zoo", after="b.md", limit=2))
    assert isinstance(listed, DocumentsListed)
    assert [each.name for each in listed.documents] == ["c.md"]
    assert not listed.more
    listed, _ = await served(service, DocumentsList())
    assert listed == DocumentsListed(
        bases=(
            BaseEntry(base="home", documents=1, chunks=1, size_bytes=9),
            BaseEntry(base="zoo", documents=3, chunks=3, size_bytes=25),
        )
    )


async def test_the_longest_list_fits_into_one_message(library: Library) -> None:
    for number in range(MAX_LISTED + 1):
        await library.add("zoo", f"{number:03}{'🦁' * 197}", b"The lion.")
    listed, _ = await served(Documents(library), DocumentsList(base="zoo", limit=10_000))
    assert isinstance(listed, DocumentsListed)
    assert (len(listed.documents), listed.more) == (MAX_LISTED, True)
    assert len(msgspec.msgpack.encode(listed)) < 250_000


async def test_what_cannot_be_listed_says_why(library: Library) -> None:
    with pytest.raises(UnknownBase):
        await served(Documents(library), DocumentsList(base="zoo"))
    with pytest.raises(BadName):
        await served(Documents(library), DocumentsList(base="z/o"))
