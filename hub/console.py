"""Where the output of several processes becomes one: each line behind the name of who said it."""

import queue
import re
import threading
from collections.abc import Sequence
from typing import Protocol

MAX_WAITING_LINES = 10_000

_COLOUR_CODES = re.compile(r"\x1b\[[0-9;]*m")
_COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")


class Say(Protocol):
    """Takes a line of output; never blocks."""

    def __call__(self, name: str, line: str) -> None: ...


def silent(name: str, line: str) -> None:
    """Says nothing."""


class Sink(Protocol):
    """Where lines go: a terminal, a pipe, a log file."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> None: ...


class Console:
    """Writes lines from a thread of its own, so that a terminal that is paused, or a reader that
    is slow, never stalls the processes behind it.

    Without ``colour`` the colours that processes give their lines are taken out again. Beyond
    ``limit`` waiting lines the newest are dropped, as is one that cannot be written; how many is
    said as soon as there is room again.
    """

    def __init__(
        self,
        out: Sink,
        names: Sequence[str] = (),
        *,
        colour: bool = False,
        prefix: bool = True,
        limit: int = MAX_WAITING_LINES,
    ) -> None:
        self._out = out
        self._width = max((len(name) for name in names), default=0)
        self._colours = dict(zip(names, _COLOURS, strict=False)) if colour else {}
        self._plain = not colour
        self._prefix = prefix
        self._lines: queue.Queue[tuple[str, str] | None] = queue.Queue(limit)
        self.dropped = 0
        self._writer = threading.Thread(target=self._write, name="console", daemon=True)
        self._writer.start()

    def __call__(self, name: str, line: str) -> None:
        try:
            self._lines.put_nowait((name, line))
        except queue.Full:
            self.dropped += 1

    def close(self, patience_s: float = 2.0) -> None:
        """Write what waits; give up after ``patience_s`` if nobody reads."""
        try:
            self._lines.put(None, timeout=patience_s)
        except queue.Full:
            return
        self._writer.join(patience_s)

    def _write(self) -> None:
        told = 0
        while (item := self._lines.get()) is not None:
            text = self._formatted(*item)
            dropped = self.dropped
            if dropped > told:
                text += self._formatted("console", f"{dropped - told} lines were dropped")
            try:
                self._out.write(text)
                if self._lines.empty():
                    self._out.flush()
                told = dropped
            except (OSError, ValueError):  # nobody reads any more, or a disk is full: go on
                self.dropped += 1

    def _formatted(self, name: str, line: str) -> str:
        if self._plain:
            line = _COLOUR_CODES.sub("", line)
        if not self._prefix:
            return f"{line}\n"
        label = f"{name:<{self._width}} |"
        if code := self._colours.get(name):
            label = f"\x1b[{code}m{label}\x1b[0m"
        return f"{label} {line}\n"
