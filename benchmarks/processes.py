"""Clients in processes of their own, and what a process costs."""

import contextlib
import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.stack import Stack

ANSWER_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 5.0
_TICKS = os.sysconf("SC_CLK_TCK")


class JobFailed(RuntimeError):
    """A job raised; the worker goes on."""


class Worker:
    """A process that does the jobs it is asked for: ``target`` is called there once with
    ``arguments`` and gives the function that does them."""

    def __init__(self, target: Callable[..., Callable[[Any], Any]], *arguments: Any) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(
            target=_work, args=(theirs, target, arguments), daemon=True, name=target.__name__
        )
        self._process.start()
        theirs.close()

    def ask(self, job: Any) -> Any:
        """Have a job done.

        Raises:
            JobFailed: it raised.
            RuntimeError: it did not come back in time, or the process ended.
        """
        self._pipe.send(job)
        return self._answer()

    @contextlib.contextmanager
    def asking(self, job: Any) -> Iterator[Callable[[], Any]]:
        """Have a job done beside what the block does; the call that is given returns its answer,
        after the block, and raises as ``ask`` does."""
        self._pipe.send(job)
        yield self._answer

    def has_answered(self) -> bool:
        """Whether the job is done, and its answer is there."""
        return self._pipe.poll()

    def _answer(self) -> Any:
        if not self._pipe.poll(ANSWER_TIMEOUT_S):
            raise RuntimeError(f"{self._process.name} does not answer")
        try:
            failure, answer = self._pipe.recv()
        except EOFError:
            raise RuntimeError(f"{self._process.name} ended") from None
        if failure:
            raise JobFailed(f"{self._process.name}: {failure}")
        return answer

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._pipe.send(None)
        self._process.join(_STOP_TIMEOUT_S)
        self._process.terminate()
        self._process.join()


def _work(pipe: Connection, target: Callable[..., Callable[[Any], Any]], given: Any) -> None:
    do = target(*given)
    gc.collect()
    gc.freeze()
    while (job := pipe.recv()) is not None:
        try:
            failure, answer = "", do(job)
        except Exception as error:
            failure, answer = f"{type(error).__name__}: {error}", None
        pipe.send((failure, answer))


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that processes have spent so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


class CpuMeter:
    """Adds up the CPU of groups of processes over stretches of time.

    ``with meter:`` is one stretch.
    """

    def __init__(self, **groups: Iterable[int]) -> None:
        self._groups = {name: tuple(pids) for name, pids in groups.items()}
        self._spent_s = dict.fromkeys(self._groups, 0.0)
        self._wall_s = 0.0

    def __enter__(self) -> None:
        self._add(-1)

    def __exit__(self, *_: object) -> None:
        self._add(1)

    def _add(self, sign: int) -> None:
        self._wall_s += sign * time.monotonic()
        for name, pids in self._groups.items():
            self._spent_s[name] += sign * cpu_seconds(pids)

    def cores(self) -> dict[str, float]:
        """How many cores each group kept busy."""
        return {name: spent / self._wall_s for name, spent in self._spent_s.items()}


def process_groups(hub: Stack) -> dict[str, list[int]]:
    """The processes of a stack as a meter's groups: the hub, and its agents."""
    processes = hub.processes()
    return {
        "hub": [processes.pop("hub"), hub.supervisor_pid],
        "agents": list(processes.values()),
    }


def cores_note(cores: dict[str, float]) -> str:
    """What a meter saw, for a row's note."""
    return "cores: " + ", ".join(f"{name} {busy:.2f}" for name, busy in cores.items())
