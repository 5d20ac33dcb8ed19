"""Many seeds on several processes, with progress; ends at the first ``MAX_FAILURES`` failures."""

import multiprocessing
import time
from collections.abc import Iterator
from typing import NamedTuple

from tests.simulation.report import failure, say
from tests.simulation.run import run

CHUNK = 50
MAX_FAILURES = 5
_EVERY_S = 10.0


class Chunk(NamedTuple):
    """A stretch of seeds that was run, and what failed in it, in words."""

    seeds: int
    failures: tuple[str, ...]


def run_chunk(first: int, count: int = CHUNK) -> Chunk:
    """Run ``count`` seeds from ``first`` on."""
    results = (run(seed) for seed in range(first, first + count))
    return Chunk(count, tuple(failure(r) for r in results if r.violations))


def soak(first: int, count: int, processes: int) -> int:
    """Run ``count`` seeds from ``first`` on; return how many failed."""
    began, done, failed = time.monotonic(), 0, 0
    told = began
    for chunk in _chunks(first, count, processes):
        done += chunk.seeds
        failed += len(chunk.failures)
        for text in chunk.failures:
            say(text)
        now = time.monotonic()
        if now - told >= _EVERY_S or done >= count:
            told = now
            left_s = (now - began) / done * (count - done)
            say(f"{done} of {count} seeds, {failed} failed, {left_s:.0f} s left")
        if failed >= MAX_FAILURES:
            break
    return failed


def _chunks(first: int, count: int, processes: int) -> Iterator[Chunk]:
    pieces = [(at, min(CHUNK, first + count - at)) for at in range(first, first + count, CHUNK)]
    if processes == 1:
        for piece in pieces:
            yield run_chunk(*piece)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(_run_piece, pieces)


def _run_piece(piece: tuple[int, int]) -> Chunk:
    return run_chunk(*piece)
