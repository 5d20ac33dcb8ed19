"""How long a question to a knowledge base of 10,000 chunks takes, its vector included.

The texts are sentences of words as frequent as in natural language (Zipf), the chunks' vectors
random ones of MiniLM's size, since no time hangs on where they point. Without the ``rag`` extra
the question's vector is a scripted one.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agents.memory import documents
from agents.memory.backends.base import Embedder
from agents.memory.backends.minilm import MiniLmEmbedder, missing
from agents.memory.backends.scripted import ScriptedEmbedder
from agents.memory.chunking import Chunk
from agents.memory.library import Library
from agents.memory.limits import BaseLimits
from agents.memory.slotted import SlottedEmbedders
from agents.memory.store import Store
from agents.runtime.latch import Latch
from agents.runtime.slot import About, EngineSlot
from benchmarks.report import Row

CHUNKS = 10_000
DOCUMENTS = 10
QUESTIONS = 60
GOAL_MS = 50.0
DIMENSIONS = 384
SYLLABLES = [a + b for a in "bdfgklmnprst" for b in ("a", "ei", "o", "u")]
WORDS = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in ("lon", "rat", "s")]
ZIPF = list(accumulate(1.0 / rank for rank in range(1, len(WORDS) + 1)))
WORDS_PER_CHUNK = 90
WORDS_PER_QUESTION = 8


class _Times(NamedTuple):
    add_s: float
    cpu_ms: float
    took_ms: list[float]
    embedder: str


def run() -> list[Row]:
    """A row for the wall time of a question, and one for its processor time, on which neighbours
    have less influence."""
    with tempfile.TemporaryDirectory(prefix="robot-hub-retrieval-") as folder:
        times = asyncio.run(_measured(Path(folder)))
    ordered = sorted(times.took_ms)
    p95_ms = ordered[int(0.95 * len(ordered))]
    asked = f"question to {CHUNKS} chunks"
    note = f"p50 {statistics.median(ordered):.1f} ms, question's vector by {times.embedder}"
    return [
        _row(f"{asked}, p95", p95_ms, note),
        _row(f"{asked}, processor time", times.cpu_ms, f"chunks kept in {times.add_s:.1f} s"),
    ]


async def _measured(folder: Path) -> _Times:
    store, rng = Store(folder), random.Random(1)
    embedder: Embedder = ScriptedEmbedder(dimensions=DIMENSIONS)
    if not missing(""):
        embedder = MiniLmEmbedder()
    slot = EngineSlot(embedder, lambda _: embedder, lambda one: About(one.name, one.capacity))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(slot.run())
        await slot.start()
        library = Library(store, SlottedEmbedders(slot), Latch())
        began = time.perf_counter()
        await _fill(store, embedder.space, rng)
        add_s = time.perf_counter() - began
        await library.remove(
            "bench", "nothing.md"
        )  # an order without effect, after which all is ready
        cpu_s = time.process_time()
        took_ms = [await _asked(library, _question(rng)) for _ in range(QUESTIONS)]
        cpu_ms = (time.process_time() - cpu_s) / QUESTIONS * 1e3
        running.cancel()
    await slot.close()
    await store.close()
    return _Times(add_s, cpu_ms, took_ms, embedder.name)


async def _asked(library: Library, question: str) -> float:
    began = time.perf_counter()
    found = await library.retrieve("bench", question, 5)
    took_ms = (time.perf_counter() - began) * 1e3
    assert len(found) == 5
    return took_ms


async def _fill(store: Store, space: str, rng: random.Random) -> None:
    for number in range(DOCUMENTS):
        new = documents.NewDocument("bench", f"{number}.md", 0, 0.0, _rows(rng, number), space)
        await store.write(partial(documents.put, new=new, limits=BaseLimits()))


def _rows(rng: random.Random, seed: int) -> Iterator[tuple[Chunk, bytes]]:
    count = CHUNKS // DOCUMENTS
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSIONS), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for number, vector in enumerate(documents.stored(vectors)):
        text = _sentence(rng, WORDS_PER_CHUNK)
        yield Chunk(number, 0, len(text), text, ("Heading",)), vector


def _question(rng: random.Random) -> str:
    return _sentence(rng, WORDS_PER_QUESTION)


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, cum_weights=ZIPF, k=words))


def _row(metric: str, ours_ms: float, note: str) -> Row:
    return Row(
        case="retrieval",
        metric=metric,
        ours=ours_ms,
        peer=None,
        unit="ms",
        goal=f"≤ {GOAL_MS:.0f} ms",
        ok=ours_ms <= GOAL_MS,
        note=note,
    )
