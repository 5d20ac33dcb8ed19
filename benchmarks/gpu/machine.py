"""Whether this machine can run the bench. ``python -m benchmarks.gpu.machine true|tiny`` says so in
a sentence and exits with 2 if it cannot, before gigabytes are installed for it."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from hub.gpu import BYTES_PER_GIB, Nvml, Reading

PLANNER_GIB, VOICE_GIB = 22.0, 13.0
"""What each engine may take: its weights (16.4 and 7.6 GB), and a cache for eight talks."""
OTHERS_GIB = 13.0
"""Whisper, the codec, SDXL with the decoder of an image, and every process' own context."""
NEEDED_GIB = PLANNER_GIB + VOICE_GIB + OTHERS_GIB
CHOICES = ("true", "tiny")
INSTEAD = "SHAPES=tiny tries the bench itself on the CPU"


def refusal(shapes: str, reading: Reading, devices: Sequence[Path]) -> str:
    """Why the bench cannot run here; empty if it can.

    Args:
        shapes: ``true`` or ``tiny``.
        reading: what the driver says.
        devices: the GPUs' device files, for where the driver cannot be asked yet.
    """
    if shapes not in CHOICES:
        return f"SHAPES is {' or '.join(CHOICES)}, not {shapes!r}"
    if shapes == "tiny":
        return ""
    if not reading.gpus:
        if devices and find_spec("pynvml") is None:
            return ""  # the environment that can ask is made next
        return f"bench-gpu needs a GPU, and there is none here ({reading.why}); {INSTEAD}"
    gpu = reading.gpus[0]
    if gpu.free_gb < NEEDED_GIB:
        return (
            f"bench-gpu needs {NEEDED_GIB:g} GiB of free GPU memory, and {gpu.name} has"
            f" {gpu.free_gb:.1f}; {INSTEAD}"
        )
    return ""


def device_files() -> list[Path]:
    """Those of NVIDIA's driver, one for each GPU."""
    return sorted(Path("/dev").glob("nvidia[0-9]*"))


def used_gib(reading: Reading) -> float:
    """GPU memory in use on the first GPU; 0 without one."""
    if not reading.gpus:
        return 0.0
    return (reading.gpus[0].total_bytes - reading.gpus[0].free_bytes) / BYTES_PER_GIB


def main(arguments: Sequence[str]) -> int:
    """Say whether this machine will do; return the exit code."""
    reason = refusal(arguments[0] if arguments else "true", Nvml().read(), device_files())
    if reason:
        Console(stderr=True).print(reason, soft_wrap=True, markup=False)
    return 2 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
