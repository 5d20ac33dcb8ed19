"""A knowledge base of the project's own documents, asked as somebody would who has not read them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents.memory.backends.minilm import MiniLmEmbedder, missing
from agents.memory.library import Library
from agents.memory.store import Store
from agents.runtime.latch import Latch
from tests.agents.memory.embedders import Leased

ROOT = Path(__file__).parents[3]
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "DECISIONS.md",
    "CHANGELOG.md",
    "protocols/README.md",
    "benchmarks/README.md",
)
QUESTIONS = {
    "Do I need a graphics card or an API key to run it?": "README.md",
    "What should a robot do after its connection was closed with code 4009?": "protocols/README.md",
    "How are the binary frames with sound encoded on the wire?": "protocols/README.md",
    "What steps does it take to add a new backend?": "CONTRIBUTING.md",
    "Why are there no lock files with package versions?": "DECISIONS.md",
    "Why does the guard use a table of phrases instead of a model?": "DECISIONS.md",
    "What happens to a conversation when the hub process is killed?": "ARCHITECTURE.md",
    "Which folder may import which?": "ARCHITECTURE.md",
    "Why is the goal for the time to the first audio missed?": "benchmarks/README.md",
    "What is new in version 0.1.0?": "CHANGELOG.md",
}
LACK = missing("")

pytestmark = [pytest.mark.engine, pytest.mark.skipif(bool(LACK), reason=LACK)]


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    store, embedder = Store(tmp_path), MiniLmEmbedder()
    await embedder.start()
    library = Library(store, Leased(embedder), Latch())
    for name in DOCUMENTS:
        await library.add("project", name, (ROOT / name).read_bytes())
    yield library
    await embedder.close()
    await store.close()


async def test_nine_of_ten_questions_find_the_right_document_first(library: Library) -> None:
    first = {
        question: (await library.retrieve("project", question, 1))[0].document
        for question in QUESTIONS
    }
    wrong = {question: found for question, found in first.items() if found != QUESTIONS[question]}
    assert len(wrong) <= 1, wrong
