"""What retrieval keeps, whatever makes the vectors, and where nothing does."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from agents.memory.backends.base import Embedders
from agents.memory.backends.minilm import MiniLmEmbedder, missing
from agents.memory.backends.openai import OpenAiEmbedder, Server
from agents.memory.backends.scripted import ScriptedEmbedder
from agents.memory.library import Library
from agents.memory.slotted import NoEmbedders, SlottedEmbedders
from agents.memory.store import Store
from agents.runtime.latch import Latch
from tests.agents.memory.embedders import Leased
from tests.agents.memory.tiny_bert import write_tiny_bert
from tests.fakes.embedding_server import EmbeddingServer
from tests.fakes.engines import running, slot_of

BOOK = """# The house

The kitchen has a red kettle.

# The garden

The apple tree bears fruit in autumn.

## The pond

Three goldfish live in the pond.
"""
LETTER = "Dear Anna, the tractor is in the barn. Yours, Ben"

Engine = Callable[[Path], AbstractAsyncContextManager[Embedders]]


@asynccontextmanager
async def words(_: Path) -> AsyncIterator[Embedders]:
    yield NoEmbedders("none is installed")


@asynccontextmanager
async def scripted(_: Path) -> AsyncIterator[Embedders]:
    yield Leased(ScriptedEmbedder())


@asynccontextmanager
async def slotted(_: Path) -> AsyncIterator[Embedders]:
    slot = slot_of(ScriptedEmbedder)
    async with running(slot):
        yield SlottedEmbedders(slot)


@asynccontextmanager
async def openai(_: Path) -> AsyncIterator[Embedders]:
    async with EmbeddingServer() as server:
        embedder = OpenAiEmbedder(Server(server.base_url))
        await embedder.start()
        yield Leased(embedder)
        await embedder.close()


@asynccontextmanager
async def bert(tmp_path: Path) -> AsyncIterator[Embedders]:
    embedder = MiniLmEmbedder(write_tiny_bert(tmp_path / "tiny"))
    await embedder.start()
    yield Leased(embedder)
    await embedder.close()


@asynccontextmanager
async def minilm(_: Path) -> AsyncIterator[Embedders]:
    embedder = MiniLmEmbedder()
    await embedder.start()
    yield Leased(embedder)
    await embedder.close()


ENGINES: Sequence[object] = (
    words,
    scripted,
    slotted,
    openai,
    pytest.param(bert, marks=pytest.mark.skipif(find_spec("safetensors") is None, reason="rag")),
    pytest.param(minilm, marks=pytest.mark.skipif(bool(missing("")), reason=missing(""))),
)


@pytest.fixture(params=ENGINES, ids=lambda engine: getattr(engine, "__name__", None))
async def library(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Library]:
    async with request.param(tmp_path) as embedders:
        store = Store(tmp_path)
        library = Library(store, embedders, Latch())
        await library.add("home", "book.md", BOOK.encode())
        await library.add("home", "letter.txt", LETTER.encode())
        await library.add("work", "plan.md", b"The tractor is sold.")
        yield library
        await store.close()


@pytest.mark.parametrize(
    ("query", "document", "heading"),
    [
        ("Where is the kettle?", "book.md", "The house"),
        ("goldfish pond", "book.md", "The garden > The pond"),
        ("Ben's tractor", "letter.txt", ""),
        ("APPLES in the autumn", "book.md", "The garden"),
    ],
)
async def test_the_right_passage_is_among_the_first_with_its_place(
    library: Library, query: str, document: str, heading: str
) -> None:
    found = await library.retrieve("home", query, 3)
    (right,) = [one for one in found if (one.document, one.heading) == (document, heading)]
    whole = BOOK if document == "book.md" else LETTER
    assert whole[right.first : right.last] == right.text


async def test_scores_are_between_0_and_1_and_fall(library: Library) -> None:
    found = await library.retrieve("home", "the kettle and the goldfish", 10)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert len({(one.document, one.chunk) for one in found}) == len(found)


async def test_no_more_is_answered_than_was_asked_for(library: Library) -> None:
    assert len(await library.retrieve("home", "the tractor and the kettle", 1)) == 1
    assert len(await library.retrieve("home", "the tractor and the kettle", 10_000)) <= 20


async def test_nothing_of_another_base_is_ever_answered(library: Library) -> None:
    found = await library.retrieve("home", "the tractor is sold", 20)
    assert "plan.md" not in {one.document for one in found}


@pytest.mark.parametrize(
    "query", ['"', "a AND", "NOT kettle", "kettle*", "name:kettle", "(", "x" * 4_000, "\x00kettle"]
)
async def test_no_query_breaks_it(library: Library, query: str) -> None:
    await library.retrieve("home", query, 5)


async def test_a_document_that_was_replaced_or_removed_is_never_answered(
    library: Library,
) -> None:
    await library.add("home", "letter.txt", b"Nothing of interest.")
    await library.remove("home", "book.md")
    found = await library.retrieve("home", "tractor kettle goldfish interest", 20)
    assert {one.text for one in found} == {"Nothing of interest."}
