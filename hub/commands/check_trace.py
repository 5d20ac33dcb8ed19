"""``robot-hub check-trace``: were the promises of the design kept?"""

import itertools
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from hub.trace.check import examine
from hub.trace.file import read

CLEAN, BROKEN = 0, 1


def check_trace(files: Sequence[Path], console: Console) -> int:
    """Print what the traces in ``files``, runs of one hub in their order, were found to be; return
    the exit code: 1 if a promise was broken.

    Raises:
        UnreadableTrace: one of the files is no trace.
    """
    verdict = examine(itertools.chain.from_iterable(read(file) for file in files))
    if verdict.violation is None:
        console.print(f"clean: {verdict.summary}", highlight=False, soft_wrap=True)
        return CLEAN
    console.print(f"{verdict.violation}", style="bold red", highlight=False, soft_wrap=True)
    console.print("what led to it, latest first:")
    for line in verdict.violation.chain:
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"after {verdict.summary}", highlight=False, soft_wrap=True)
    return BROKEN
