"""Engines for the worker tests; imported in the child process."""

import os
from collections.abc import Generator

from agents.runtime.errors import BackendBusy, BackendUnavailable


class Counter:
    """Counts what it is told and can be made to fail in every way that matters."""

    def __init__(self, start: int = 0) -> None:
        self._total = start
        self._closed = 0
        self._made = 0

    def add(self, amount: int) -> int:
        self._total += amount
        return self._total

    def size(self, pcm: bytes) -> int:
        return len(pcm)

    def pid(self) -> int:
        return os.getpid()

    def say(self, text: str) -> None:
        print(text, flush=True)  # noqa: T201 — a library that prints must not break the wire

    def wait_at(self, gate: str) -> None:
        """Hold the engine until the writing end of a pipe is closed."""
        with open(gate, "rb") as pipe:
            pipe.read()

    def refuse(self) -> None:
        raise BackendBusy("one at a time")

    def crash(self) -> None:
        os._exit(3)

    def stairs(self, steps: int) -> Generator[int, None, None]:
        """Yield 0, 1, …; counts how often it was closed before its end."""
        try:
            for step in range(steps):
                self._made += 1
                yield step
        except GeneratorExit:
            self._closed += 1
            raise

    def slip(self) -> Generator[int, None, None]:
        yield 1
        raise BackendBusy("slipped")

    def made(self) -> int:
        return self._made

    def closed(self) -> int:
        return self._closed


def missing() -> None:
    """A factory whose engine is not installed."""
    raise BackendUnavailable("no such engine here")
