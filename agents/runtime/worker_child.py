"""The child's end of ``worker.py``: one thread, one engine, orders in sequence.

Frames are a 4-byte little-endian length and a msgpack list ``[number, kind, …]``. Between two
steps of a generator the child looks at its stdin, so a stream is cancelled without a second
thread. The child ends when its stdin does, and the kernel kills it with its parent.
"""

import ctypes
import importlib
import os
import select
import signal
import struct
import sys
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from enum import StrEnum
from typing import Any

import msgspec

from agents.runtime.errors import AgentError

AHEAD = 4
"""Items of a stream that may wait for their reader."""

_PR_SET_PDEATHSIG = 1
_LENGTH = struct.Struct("<I")


class Kind(StrEnum):
    """What a frame is: orders of the parent, then answers of the child."""

    START = "start"
    CALL = "call"
    STREAM = "stream"
    MORE = "more"
    CANCEL = "cancel"

    RESULT = "result"
    ITEM = "item"
    END = "end"
    ERROR = "error"
    DIED = "died"


def to_frame(number: int, kind: Kind, *rest: Any) -> bytes:
    """One frame, ready to be written."""
    body = msgspec.msgpack.encode([number, kind, *rest])
    return _LENGTH.pack(len(body)) + body


def frames_in(buffer: bytearray) -> Iterator[list[Any]]:
    """Take the complete frames off the front of ``buffer``."""
    while len(buffer) >= _LENGTH.size:
        end = _LENGTH.size + _LENGTH.unpack_from(buffer)[0]
        if len(buffer) < end:
            return
        body = bytes(buffer[_LENGTH.size : end])
        del buffer[:end]
        yield msgspec.msgpack.decode(body)


class Orders:
    """Orders as they come; one that is cancelled before its turn is never seen."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._received = bytearray()
        self._orders: deque[list[Any]] = deque()
        self._credit: dict[int, int] = {}

    def next(self) -> list[Any]:
        """Wait for the next order; what was taken back before now is passed over.

        Raises:
            EOFError: the parent is gone.
        """
        while not self._orders or self._has_more():
            self._read()
        return self._orders.popleft()

    def may_go_on(self, number: int) -> bool:
        """Whether stream ``number`` may take a step; waits until its reader has room."""
        while self._has_more():
            self._read()
        while self._credit.get(number) == 0:
            self._read()
        if number not in self._credit:
            return False
        self._credit[number] -= 1
        return True

    def _has_more(self) -> bool:
        return bool(select.select([self._source], [], [], 0)[0])

    def _read(self) -> None:
        data = os.read(self._source, 65_536)
        if not data:
            raise EOFError
        self._received += data
        for order in frames_in(self._received):
            self._sort(order)

    def _sort(self, order: list[Any]) -> None:
        number, kind = order[:2]
        match kind:
            case Kind.MORE:
                if number in self._credit:
                    self._credit[number] += 1
            case Kind.CANCEL:
                self._credit.pop(number, None)
                self._orders = deque(o for o in self._orders if o[0] != number)
            case _:
                if kind == Kind.STREAM:
                    self._credit[number] = AHEAD
                self._orders.append(order)


class Child:
    """Carries out orders on one engine."""

    def __init__(self, orders: Orders, answers: int) -> None:
        self._orders = orders
        self._answers = answers

    def serve(self) -> None:
        """Build the engine, then serve it until the parent closes.

        Only an ``AgentError`` is an answer. Anything else ends the process with its traceback:
        the state of the engine is unknown then.
        """
        number, _, target, (args, path) = self._orders.next()
        sys.path[:] = path
        try:
            module, _, factory = target.partition(":")
            engine = getattr(importlib.import_module(module), factory)(*args)
        except AgentError as error:
            self._answer(number, Kind.ERROR, [error.code, str(error)])
            return
        self._answer(number, Kind.RESULT, None)
        while True:
            number, kind, method, args = self._orders.next()
            try:
                self._carry_out(number, kind, getattr(engine, method)(*args))
            except AgentError as error:
                self._answer(number, Kind.ERROR, [error.code, str(error)])

    def _carry_out(self, number: int, kind: str, result: Any) -> None:
        if kind == Kind.CALL:
            self._answer(number, Kind.RESULT, result)
            return
        with closing(result) as items:
            self._step_through(number, items)

    def _step_through(self, number: int, items: Generator[Any, None, None]) -> None:
        while self._orders.may_go_on(number):
            try:
                item = next(items)
            except StopIteration:
                self._answer(number, Kind.END)
                return
            self._answer(number, Kind.ITEM, item)

    def _answer(self, number: int, kind: Kind, value: Any = None) -> None:
        rest = memoryview(to_frame(number, kind, value))
        while rest:
            rest = rest[os.write(self._answers, rest) :]


def main() -> None:
    """Serve stdin and stdout; what libraries print goes to stderr."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # A terminal interrupts the whole group; the parent decides what that means for its child.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.dup(1)
    os.dup2(2, 1)
    try:
        Child(Orders(0), answers).serve()
    except (EOFError, BrokenPipeError):
        return


if __name__ == "__main__":
    main()
