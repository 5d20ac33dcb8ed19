"""``robot-hub`` as its user runs it: a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from hub.settings import KNOWN_NAMES


def robot_hub(*arguments: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {n: v for n, v in os.environ.items() if n not in KNOWN_NAMES}  # noqa: TID251
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", *arguments],
        cwd=cwd,
        env={**clean, "HUB_DATA_DIR": str(cwd / "data"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def refusal(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith("robot-hub: ")
    return sentence
