"""``kill -9`` in the middle of a write, in a real process."""

import asyncio
import sys
from pathlib import Path

from agents.memory.chunking import chunks_of
from agents.memory.search import Question, Searcher
from agents.memory.store import Store
from tests.agents.memory.adding_program import OLD

ROOT = Path(__file__).parents[3]


async def test_a_kill_in_the_middle_of_an_add_leaves_the_old_document_whole(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.agents.memory.adding_program", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"in the middle\n"
    process.kill()
    await process.wait()

    store = Store(tmp_path)
    texts = await store.read(
        lambda db: db.execute("SELECT text FROM chunks ORDER BY number").fetchall()
    )
    by_words = await store.read(lambda db: Searcher().search(db, Question("zoo", "new lion", 20)))
    check = await store.read(lambda db: db.execute("PRAGMA integrity_check").fetchone())
    await store.close()
    assert [text for (text,) in texts] == [chunk.text for chunk in chunks_of(OLD)]
    assert by_words
    assert all("old lion" in passage.text for passage in by_words)
    assert check == ("ok",)
