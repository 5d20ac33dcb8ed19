"""Documents that are kept and found, on a real file."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.memory import schema
from agents.memory.backends.scripted import ScriptedEmbedder
from agents.memory.chunking import ChunkRules
from agents.memory.errors import (
    BadName,
    BadQuery,
    BaseFull,
    DiskFull,
    EmptyDocument,
    NotText,
    StoreFailed,
    StoreLocked,
    StoreTooNew,
    UnknownBase,
)
from agents.memory.library import Library, LibraryOptions
from agents.memory.limits import BaseLimits
from agents.memory.schema import FILE
from agents.memory.slotted import NoEmbedders
from agents.memory.store import Store
from agents.runtime.errors import BackendUnavailable
from agents.runtime.latch import Latch
from tests.agents.memory.embedders import Failing, Leased, Noting

ZOO = b"# Animals\n\nThe lion roars at night.\n\n# Plants\n\nThe cactus needs little water."
LIMITS = BaseLimits(documents=2, chunks=4, text_bytes=200, bases=2)
SMALL = LibraryOptions(ChunkRules(most=60, least=20, overlap=10), LIMITS)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path, busy_ms=20)
    yield store
    await store.close()


@pytest.fixture
def library(store: Store) -> Library:
    return Library(store, Leased(ScriptedEmbedder()), Latch())


def on_disk(directory: Path, text: bytes) -> bool:
    """Whether any file of the memory holds ``text``."""
    return any(text in path.read_bytes() for path in directory.glob(f"{FILE}*"))


async def texts(library: Library, base: str, query: str) -> list[str]:
    return [passage.text for passage in await library.retrieve(base, query, 5)]


async def test_a_passage_says_where_it_stands(library: Library) -> None:
    kept = await library.add("zoo", "guide.md", ZOO)
    assert (kept.documents, kept.chunks, kept.touched, kept.embedded) == (1, 2, 2, 2)
    passage, *_ = await library.retrieve("zoo", "Which animal roars?", 5)
    assert passage.text == "The lion roars at night."
    assert ZOO.decode()[passage.first : passage.last] == passage.text
    assert (passage.document, passage.chunk, passage.heading) == ("guide.md", 0, "Animals")
    assert 0 < passage.score <= 1
    assert 0 < passage.similarity <= 1


async def test_a_document_of_the_same_name_is_replaced(library: Library) -> None:
    await library.add("zoo", "guide.md", ZOO)
    kept = await library.add("zoo", "guide.md", b"The lion sleeps.")
    assert (kept.documents, kept.chunks, kept.embedded) == (1, 1, 1)
    assert await texts(library, "zoo", "lion roars cactus") == ["The lion sleeps."]


async def test_bases_know_nothing_of_each_other(library: Library) -> None:
    await library.add("zoo", "guide.md", ZOO)
    await library.add("home", "list.md", b"The lamp is on.")
    assert await texts(library, "home", "lion") == ["The lamp is on."]
    kept = await library.remove("home")
    assert (kept.documents, kept.chunks, kept.touched) == (0, 0, 1)
    with pytest.raises(UnknownBase):
        await library.retrieve("home", "lamp", 5)
    assert "The lion roars at night." in await texts(library, "zoo", "lion")


async def test_what_is_removed_is_gone_from_the_file_too(
    library: Library, store: Store, tmp_path: Path
) -> None:
    await library.add("zoo", "guide.md", b"The wombat is secret.")
    await library.add("zoo", "other.md", b"The lamp is on.")
    kept = await library.remove("zoo", "guide.md")
    assert (kept.documents, kept.touched) == (1, 1)
    assert await texts(library, "zoo", "wombat secret") == ["The lamp is on."]
    assert not on_disk(tmp_path, b"wombat")


async def test_what_is_not_there_is_forgotten_already(library: Library) -> None:
    assert (await library.remove("nowhere", "nothing.md")).touched == 0


async def test_without_an_embedder_words_find_documents(store: Store) -> None:
    library = Library(store, NoEmbedders("none is installed"), Latch())
    kept = await library.add("zoo", "guide.md", ZOO)
    assert (kept.chunks, kept.embedded) == (2, 0)
    assert library.counters["chunks.without_vector"] == 2
    passages = await library.retrieve("zoo", "roaring lions", 5)
    assert [(p.text, p.score, p.similarity) for p in passages] == [
        ("The lion roars at night.", 1.0, 0.0)
    ]
    assert library.counters["queries.by_words"] == 1
    with pytest.raises(BackendUnavailable, match="none is installed"):
        await library.embed("zoo")


async def test_vectors_of_two_models_are_never_compared(store: Store) -> None:
    leased = Leased(ScriptedEmbedder("old"))
    library = Library(store, leased, Latch())
    await library.add("zoo", "guide.md", ZOO)
    leased.embedder = ScriptedEmbedder("new", dimensions=32)
    (only,) = await library.retrieve("zoo", "lion", 5)
    assert only.similarity == 0.0
    kept = await library.embed("zoo")
    assert (kept.touched, kept.embedded, kept.chunks) == (2, 2, 2)
    assert (await library.retrieve("zoo", "lion", 5))[0].similarity > 0
    assert (await library.embed("zoo")).touched == 0
    leased.embedder = ScriptedEmbedder("old")
    assert (await library.retrieve("zoo", "lion", 5))[0].similarity == 0.0


async def test_an_embedder_that_fails_costs_no_document_and_no_answer(store: Store) -> None:
    library = Library(store, Leased(Failing(BackendUnavailable("it is away"))), Latch())
    kept = await library.add("zoo", "guide.md", ZOO)
    assert (kept.chunks, kept.embedded) == (2, 0)
    assert await texts(library, "zoo", "lion") == ["The lion roars at night."]
    assert await texts(library, "zoo", "cactus") == ["The cactus needs little water."]
    assert library.counters["embedder.backend_unavailable"] == 2  # then it is left alone
    assert library.counters["queries.by_words"] == 2


async def test_long_work_holds_while_a_robot_is_answered_and_questions_do_not(
    store: Store,
) -> None:
    latch, embedder = Latch(), Noting()
    library = Library(store, Leased(embedder), latch)
    await library.add("zoo", "guide.md", ZOO)
    latch.set(True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(library.add("zoo", "more.md", b"The owl hoots."))
        for _ in range(30):
            assert "The lion roars at night." in await texts(library, "zoo", "lion")
        assert not any("owl" in text for text in embedder.texts)
        latch.set(False)
    assert "The owl hoots." in await texts(library, "zoo", "owl")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\xff\xfe", NotText),
        (b"a\x00b", NotText),
        (b"", EmptyDocument),
        (b" \n\t\n# \n", EmptyDocument),
    ],
)
async def test_what_is_no_text_is_refused_and_the_old_document_stays(
    library: Library, data: bytes, error: type[Exception]
) -> None:
    await library.add("zoo", "guide.md", ZOO)
    with pytest.raises(error):
        await library.add("zoo", "guide.md", data)
    assert "The lion roars at night." in await texts(library, "zoo", "lion")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("third.md", b"one more document"),
        ("b.md", b"x" * 190),
        ("b.md", b"word " * 40),
    ],
    ids=["documents", "bytes", "chunks"],
)
async def test_a_full_base_refuses_and_keeps_what_it_has(
    store: Store, name: str, data: bytes
) -> None:
    library = Library(store, Leased(ScriptedEmbedder()), Latch(), SMALL)
    await library.add("zoo", "a.md", b"The lion roars.")
    await library.add("zoo", "b.md", b"The cactus grows.")
    with pytest.raises(BaseFull):
        await library.add("zoo", name, data)
    assert sorted(await texts(library, "zoo", "lion cactus")) == [
        "The cactus grows.",
        "The lion roars.",
    ]


async def test_there_are_only_so_many_bases(store: Store) -> None:
    library = Library(store, Leased(ScriptedEmbedder()), Latch(), SMALL)
    for base in ("a", "b"):
        await library.add(base, "a.md", b"words")
    with pytest.raises(BaseFull):
        await library.add("c", "a.md", b"words")
    await library.remove("a")
    await library.add("c", "a.md", b"words")


@pytest.mark.parametrize(
    ("base", "query", "limit", "error"),
    [
        ("no/base", "lion", 5, BadName),
        ("zoo", "  ", 5, BadQuery),
        ("zoo", "x" * 5_000, 5, BadQuery),
        ("zoo", "lion", 0, BadQuery),
        ("nowhere", "lion", 5, UnknownBase),
    ],
)
async def test_bad_questions_are_told_what_is_wrong(
    library: Library, base: str, query: str, limit: int, error: type[Exception]
) -> None:
    await library.add("zoo", "guide.md", ZOO)
    with pytest.raises(error):
        await library.retrieve(base, query, limit)


async def test_a_question_without_words_is_answered_by_vectors_alone(library: Library) -> None:
    await library.add("zoo", "guide.md", ZOO)
    assert len(await library.retrieve("zoo", "?!", 5)) == 2


async def test_a_full_disk_is_said_and_loses_nothing(library: Library, store: Store) -> None:
    await library.add("zoo", "guide.md", ZOO)
    (pages,) = await store.read(lambda db: db.execute("PRAGMA page_count").fetchone())
    await store.write(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").close())
    with pytest.raises(DiskFull):
        await library.add("zoo", "big.md", b"a sentence of words. " * 2_000)
    assert "The lion roars at night." in await texts(library, "zoo", "lion")
    await store.write(lambda db: db.execute("PRAGMA max_page_count = 100000").close())
    assert (await library.add("zoo", "big.md", b"a sentence of words. " * 2_000)).documents == 2


async def test_a_file_that_another_program_holds_is_said_and_used_once_it_is_free(
    library: Library, tmp_path: Path
) -> None:
    await library.add("zoo", "guide.md", ZOO)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked):
        await library.add("zoo", "guide.md", b"The lion sleeps.")
    assert "The lion roars at night." in await texts(library, "zoo", "lion")
    other.execute("ROLLBACK")
    other.close()
    await library.add("zoo", "guide.md", b"The lion sleeps.")


async def test_a_newer_file_a_damaged_one_and_a_place_that_is_none_are_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "newer").mkdir()
    db = sqlite3.connect(tmp_path / "newer" / FILE)
    db.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    db.close()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / FILE).write_bytes(b"no database at all, but long enough for one" * 99)
    (tmp_path / "file").touch()
    for name, error in (("newer", StoreTooNew), ("damaged", StoreFailed), ("file", StoreFailed)):
        store = Store(tmp_path / name)
        with pytest.raises(error):
            await store.open()
        await store.close()


async def test_ten_thousand_chunks_are_held_and_searched(store: Store) -> None:
    library = Library(store, Leased(ScriptedEmbedder(dimensions=16)), Latch())
    hay = "\n\n".join(f"Straw number {n} lies in the barn. {'dry ' * 30}" for n in range(10_010))
    needle = f"The needle is made of steel. {'thin ' * 30}"
    kept = await library.add("farm", "hay.md", f"{hay}\n\n{needle}".encode())
    assert kept.chunks == kept.embedded >= 10_000
    (found,) = await library.retrieve("farm", "Where is the steel needle?", 1)
    assert "The needle is made of steel." in found.text
    assert found.chunk == kept.chunks - 1


async def test_nobody_else_may_read_the_file(library: Library, tmp_path: Path) -> None:
    await library.add("zoo", "guide.md", ZOO)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


async def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(tmp_path)
        library = Library(store, Leased(ScriptedEmbedder()), Latch())
        if not await store.read(lambda db: db.execute("SELECT 1 FROM documents").fetchall()):
            await library.add("zoo", "guide.md", ZOO)
        assert (await texts(library, "zoo", "lion"))[0] == "The lion roars at night."
        await store.close()
