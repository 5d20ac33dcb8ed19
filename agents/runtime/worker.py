"""A child process for an engine that holds the interpreter lock.

The child imports ``"module:factory"``, calls it once with the given arguments and then calls
methods of the object it returned, one at a time, in the order they were asked for::

    worker = WorkerProcess("agents.stt.backends.decoder:Decoder", model_path)
    await worker.start()
    text = await worker.call("feed", utterance, pcm)
    async with aclosing(worker.stream("decode", pcm)) as parts:  # a generator method
        async for part in parts:
            ...

Arguments and results are what msgpack carries: None, bool, int, float, str, bytes, lists, dicts.
The wire is that of ``worker_child.py``: frames on the child's stdin and stdout.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, cast

import structlog

from agents.runtime import log
from agents.runtime.errors import AgentError, BackendUnavailable, WorkerDied
from agents.runtime.worker_child import Kind, frames_in, to_frame

CLOSE_GRACE_S = 1.0
"""How long a child that was told to end may take before it is killed."""

_log = structlog.get_logger()

_Replies = asyncio.Queue[tuple[str, Any]]


class WorkerProcess:
    """The parent's end. ``restarts`` counts the children that had to be replaced."""

    def __init__(self, target: str, *args: Any) -> None:
        self._target = target
        self._args = args
        self._child: _Child | None = None
        self._starting = asyncio.Lock()
        self.restarts = 0

    async def start(self) -> None:
        """Start the child and wait until the factory has returned.

        Raises:
            BackendUnavailable: the factory raised it, or the child ended before it was ready.
        """
        await self._running()

    async def call(self, method: str, *args: Any) -> Any:
        """The result of ``method(*args)``; a dead child is replaced first.

        Cancelling does not interrupt the child: an order it has begun is finished and its answer
        thrown away, an order it has not begun is skipped.

        Raises:
            AgentError: the method raised one; code and text are the child's.
            WorkerDied: the child ended meanwhile, for instance by any other exception.
            BackendUnavailable: a new child could not be started.
        """
        child = await self._running()
        with child.ordered(Kind.CALL, method, args) as (_, replies):
            return _value(*await replies.get())

    async def stream(self, method: str, *args: Any) -> AsyncGenerator[Any, None]:
        """The items of a generator method, a few steps ahead of their reader.

        Closing the stream (``aclosing``) or cancelling its reader closes the child's generator
        before its next step. Raises what ``call`` raises.
        """
        child = await self._running()
        with child.ordered(Kind.STREAM, method, args) as (number, replies):
            while True:
                kind, value = await replies.get()
                if kind == Kind.END:
                    return
                yield _value(kind, value)
                child.tell(number, Kind.MORE)

    async def close(self) -> None:
        """End the child: at once if it is idle, else after the grace time by force."""
        child, self._child = self._child, None
        if child is not None:
            await child.end()

    async def _running(self) -> "_Child":
        async with self._starting:
            if self._child is not None:
                if not self._child.gone.is_set():
                    return self._child
                self.restarts += 1
                _log.warning(log.WORKER_DIED, target=self._target, restarts=self.restarts)
            self._child = await _started(self._target, self._args)
            return self._child


def _value(kind: str, value: Any) -> Any:
    if kind == Kind.ERROR:
        code, detail = value
        raise AgentError(detail, code)
    if kind == Kind.DIED:
        raise WorkerDied(value)
    return value


async def _started(target: str, args: tuple[Any, ...]) -> "_Child":
    _, child = await asyncio.get_running_loop().subprocess_exec(
        lambda: _Child(target),
        *(sys.executable, "-m", "agents.runtime.worker_child"),
        stderr=None,
    )
    ready = False
    try:
        with child.ordered(Kind.START, target, (list(args), sys.path)) as (_, replies):
            _value(*await replies.get())
        ready = True
    except AgentError as error:
        raise BackendUnavailable(str(error)) from error
    finally:
        if not ready:
            child.kill()
            await child.gone.wait()
    return child


class _Child(asyncio.SubprocessProtocol):
    """One child: numbers orders and hands each reply to whoever waits for it."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._numbers = count()
        self._waiting: dict[int, _Replies] = {}
        self._received = bytearray()
        self._process: asyncio.SubprocessTransport | None = None
        self.gone = asyncio.Event()

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports derive from none of asyncio's classes.
        self._process = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._received += data
        for number, kind, value in frames_in(self._received):
            if number in self._waiting:
                self._waiting[number].put_nowait((kind, value))

    def connection_lost(self, exc: Exception | None) -> None:
        """The child has ended and all it wrote is read."""
        assert self._process is not None
        self._process.close()
        self.gone.set()
        for number in self._waiting:
            self._died(number)

    # and the worker these

    @contextmanager
    def ordered(
        self, kind: Kind, method: str, args: tuple[Any, ...]
    ) -> Iterator[tuple[int, _Replies]]:
        """Give an order; its number and replies. Leaving takes back what is left of it."""
        number = next(self._numbers)
        replies = self._waiting[number] = _Replies()
        try:
            self.tell(number, kind, method, args)
            yield number, replies
        finally:
            del self._waiting[number]
            self.tell(number, Kind.CANCEL)

    def tell(self, number: int, kind: Kind, *rest: Any) -> None:
        """Write one frame; a child that is gone answers every order with ``DIED``."""
        if self.gone.is_set():
            self._died(number)
            return
        assert self._process is not None
        pipe = cast(asyncio.WriteTransport, self._process.get_pipe_transport(0))
        pipe.write(to_frame(number, kind, *rest))

    def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def end(self) -> None:
        if self._process is None or self.gone.is_set():
            return
        stdin = self._process.get_pipe_transport(0)
        assert stdin is not None
        stdin.close()
        try:
            async with asyncio.timeout(CLOSE_GRACE_S):
                await self.gone.wait()
        except TimeoutError:
            self.kill()
            await self.gone.wait()

    def _died(self, number: int) -> None:
        assert self._process is not None
        if number in self._waiting:
            status = self._process.get_returncode()
            self._waiting[number].put_nowait(
                (Kind.DIED, f"worker {self._target} ended with status {status}")
            )
