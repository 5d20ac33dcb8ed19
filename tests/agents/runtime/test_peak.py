"""The most that an agent's process has held in memory."""

import os
import subprocess
import sys

import pytest

from agents.runtime.peak import family, peak_in, peak_mib

HOLD_MIB = 200
HOLDER = f"held = bytearray({HOLD_MIB} << 20); print(len(held), flush=True); input()"
LET_GO = f"held = bytearray({HOLD_MIB} << 20); del held; print(0, flush=True); input()"


@pytest.mark.parametrize(
    ("status", "kib"),
    [
        ("Name:\tx\nVmHWM:\t   12345 kB\nVmRSS:\t 99 kB\n", 12345),
        ("Name:\tkthreadd\n", 0),
        ("", 0),
    ],
)
def test_the_peak_is_read_from_what_the_kernel_says(status: str, kib: int) -> None:
    assert peak_in(status) == kib


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell of ended children only")
@pytest.mark.parametrize("program", [HOLDER, LET_GO])
def test_a_child_counts_with_the_most_it_has_held(program: str) -> None:
    before = peak_mib()
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()

        assert child.pid in set(family(os.getpid()))
        assert peak_mib() - before > HOLD_MIB
        child.kill()
