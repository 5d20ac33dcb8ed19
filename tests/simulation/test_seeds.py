"""Hundreds of random days of a hub, its agents and its robots: every invariant holds in each."""

import pytest

from tests.simulation.soak import CHUNK, run_chunk

SEEDS = 500


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_invariant_holds_in_every_seed(first: int) -> None:
    chunk = run_chunk(first)
    assert not chunk.failures, "\n\n".join(chunk.failures)
