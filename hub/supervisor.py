"""Keeps the hub and its agents running side by side, and leaves no process behind.

Which exit is answered how is decided in ``hub.restarts``; here processes are started, listened to,
asked to end, and ended. Each child leads a process group of its own, is killed by the kernel if
this process dies (``hub.leash``), and takes what it started along.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from hub import leash
from hub.console import Say
from hub.restarts import MISCONFIGURED, Degraded, Restart, Run, Verdict, after, within_window

HUB_GRACE_S = 15.0
AGENT_GRACE_S = 5.0
_LAST_WORDS_S = 1.0
_LONGEST_LINE = 16_384


class Child(NamedTuple):
    """A process to keep running. Without an ``essential`` one the others have nothing to do: it
    is asked to end before them, and if it is misconfigured all of them end."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    essential: bool = False


class _Process(NamedTuple):
    popen: subprocess.Popen[bytes]
    ended: asyncio.Event

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)


def _start(child: Child) -> _Process:
    popen = subprocess.Popen(
        leash.command_line(child.command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child.environment,
        process_group=0,
    )
    return _Process(popen, asyncio.Event())


class Supervisor:
    """Runs ``children`` until ``stop``. ``degraded`` is called with the name of a child that cannot
    be kept running and why, and with no reason when it is tried once more.

    Invariant: when ``run`` has returned or raised, none of the children and nothing that they
    started in their process groups is alive.
    """

    def __init__(
        self,
        children: Sequence[Child],
        say: Say,
        *,
        degraded: Callable[[str, str], None] = lambda name, why: None,
        decide: Callable[[Sequence[Run], float], Verdict] = after,
        clock: Callable[[], float] = time.monotonic,
        hub_grace_s: float = HUB_GRACE_S,
        agent_grace_s: float = AGENT_GRACE_S,
    ) -> None:
        self._children = tuple(children)
        self._say = say
        self._degraded = degraded
        self._decide = decide
        self._clock = clock
        self._grace_s = {True: hub_grace_s, False: agent_grace_s}
        self._processes: dict[str, _Process] = {}
        self._stopping = asyncio.Event()
        self._exit_code = 0
        self._waiters = ThreadPoolExecutor(max(1, len(self._children)), "wait")

    async def run(self) -> int:
        """Keep the children running; return the exit code once all have ended."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for child in self._children:
                    tasks.create_task(self._keep(child), name=child.name)
                await self._stopping.wait()
                await self._drain()
        finally:
            self._kill()
            self._waiters.shutdown()
        return self._exit_code

    def on_signal(self, number: signal.Signals) -> None:
        """The first signal lets the children finish, a second one ends them at once."""
        if self._stopping.is_set():
            self._exit_code = 128 + number
            self._kill()
        else:
            self._say("run", "stopping; once more to end at once")
            self.stop()

    def stop(self, exit_code: int = 0) -> None:
        """Ask the children to end, the essential ones first."""
        self._exit_code = exit_code
        self._stopping.set()

    async def _keep(self, child: Child) -> None:
        history: tuple[Run, ...] = ()
        on_trial = False
        while not self._stopping.is_set():
            self._degraded(child.name, "")
            started_s = self._clock()
            code, last_words = await self._live(child)
            if self._stopping.is_set():
                return
            now_s = self._clock()
            run = Run(started_s, now_s, code, on_trial)
            history = (*within_window(history, now_s), run)
            verdict = self._decide(history, now_s)
            self._say("run", describe(child.name, code, last_words, verdict, now_s))
            if child.essential and code == MISCONFIGURED:
                self.stop(exit_code=MISCONFIGURED)
            match verdict:
                case Restart(at_s):
                    on_trial = False
                    await self._sleep_until(at_s)
                case Degraded(retry_at_s=at_s):
                    on_trial = True
                    self._degraded(child.name, f"{how_it_ended(code)}: {last_words}".rstrip(": "))
                    if at_s is None:
                        return
                    await self._sleep_until(at_s)

    async def _live(self, child: Child) -> tuple[int, str]:
        """One life of a child: its exit code and the last line it said."""
        try:
            process = self._processes[child.name] = _start(child)
        except OSError as error:  # no memory or no process to be had; as good as a crash
            return 1, str(error)
        loop = asyncio.get_running_loop()
        said, complained = _Lines(child.name, self._say), _Lines(child.name, self._say)
        try:
            await loop.connect_read_pipe(lambda: said, process.popen.stdout)
            await loop.connect_read_pipe(lambda: complained, process.popen.stderr)
            code = await loop.run_in_executor(self._waiters, process.popen.wait)
            process.ended.set()
        finally:
            process.signal(signal.SIGKILL)  # itself if it lives, and whatever it left behind
        await said.ended()
        await complained.ended()
        return code, complained.last or said.last

    async def _sleep_until(self, at_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, at_s - self._clock())):
                await self._stopping.wait()

    async def _drain(self) -> None:
        for essential in (True, False):
            names = [child.name for child in self._children if child.essential is essential]
            processes = [self._processes[name] for name in names if name in self._processes]
            self._signal(processes, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._grace_s[essential]):
                    for process in processes:
                        await process.ended.wait()
            self._signal(processes, signal.SIGKILL)

    def _kill(self) -> None:
        self._signal(self._processes.values(), signal.SIGKILL)

    @staticmethod
    def _signal(processes: Iterable[_Process], number: signal.Signals) -> None:
        for process in processes:
            if not process.ended.is_set():
                process.signal(number)


def describe(name: str, code: int, last_words: str, verdict: Verdict, now_s: float) -> str:
    """What people are told about an exit."""
    how = how_it_ended(code)
    match verdict:
        case Restart(at_s):
            return f"{name} {how}; restarting in {at_s - now_s:.2g} s"
        case Degraded(retry_at_s=float(at_s)):
            then = f"too often; degraded, trying again in {at_s - now_s:.0f} s"
        case _:
            then = "and is not restarted; degraded"
    return f"{name} {how} {then}" + (f": {last_words}" if last_words else "")


def how_it_ended(code: int) -> str:
    """An exit status in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"


class _Lines(asyncio.Protocol):
    """Cuts what comes out of a pipe into lines; remembers the last."""

    def __init__(self, name: str, say: Say) -> None:
        self.last = ""
        self._name = name
        self._say = say
        self._rest = b""
        self._closed = asyncio.Event()
        self._transport: asyncio.BaseTransport | None = None

    async def ended(self) -> None:
        """Wait a moment for what is still in the pipe, then let go of it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._closed.wait()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > _LONGEST_LINE:
            self._line(self._rest)
            self._rest = b""

    def connection_lost(self, exc: Exception | None) -> None:
        self._line(self._rest)
        self._closed.set()

    def _line(self, raw: bytes) -> None:
        text = raw.decode("utf-8", "replace").rstrip()
        if text:
            self.last = text
            self._say(self._name, text)
