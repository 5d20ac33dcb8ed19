"""A seed is a story: told twice it is the same, in any process."""

import json
import subprocess
import sys
from pathlib import Path

from tests.simulation.plan import Fault, plan
from tests.simulation.run import run

ROOT = Path(__file__).parents[2]
SEEDS = range(5, 20, 2)
_TELL = "import json; from tests.simulation.run import run; print(json.dumps([run(s).digest for s in {}]))"


def _told_elsewhere(hash_seed: str) -> list[str]:
    """The digests as another process comes to them, whose hashes of strings are others."""
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _TELL.format(repr(SEEDS))]
    told = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=120
    )
    return list(json.loads(told.stdout))


def test_the_same_seed_tells_the_same_story_in_every_process() -> None:
    here = [run(seed).digest for seed in SEEDS]
    assert len(set(here)) == len(here)
    assert _told_elsewhere("1") == here


def test_a_plan_without_a_class_of_faults_keeps_all_else() -> None:
    for seed in range(200):
        whole, part = plan(seed), plan(seed, [Fault.CUT])
        assert part.deeds == whole.deeds
        assert part.breaks == tuple(b for b in whole.breaks if b.fault is not Fault.CUT)
        assert Fault.CUT not in part.faults
