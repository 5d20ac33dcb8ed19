"""The one class that knows ZeroMQ's calls, with the fast socket and with the public one."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zmq
import zmq.backend

from hub.broker.sockets import FrameSocket, Reader
from tests.contracts.bus_engines import PATIENCE_S

Pair = tuple[FrameSocket, FrameSocket]


@pytest.fixture(params=[zmq.backend.Socket, zmq.Socket], ids=["backend", "public"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    raw: Callable[..., Any] = request.param
    context: zmq.Context[Any] = zmq.Context()
    left = FrameSocket(context, zmq.PAIR, {zmq.SNDHWM: 2000, zmq.LINGER: 0}, raw)
    right = FrameSocket(context, zmq.PAIR, {zmq.RCVHWM: 2000, zmq.LINGER: 0}, raw)
    left.bind("inproc://pair")
    right.connect("inproc://pair")
    yield left, right
    left.close()
    right.close()
    context.term()


def test_messages_keep_their_frames(pair: Pair) -> None:
    left, right = pair
    assert left.send((b"one",))
    left.send3(b"topic", b"header", b"")
    assert left.send((b"", b"a", b"b", b"c"))
    assert right.receive() == [b"one"]
    assert right.receive() == [b"topic", b"header", b""]
    assert right.receive() == [b"", b"a", b"b", b"c"]
    assert right.receive() is None


def test_a_full_socket_says_so(pair: Pair) -> None:
    left, right = pair
    sent = 0
    while left.send((b"a", b"b")):
        sent += 1
    received = 0
    while (frames := right.receive()) is not None:
        assert frames == [b"a", b"b"]
        received += 1
    assert received == sent > 0


async def test_a_reader_drains_everything_in_batches(pair: Pair) -> None:
    left, right = pair
    got: list[bytes] = []
    batches: list[int] = []
    done = asyncio.Event()

    def drained() -> None:
        batches.append(len(got))
        if len(got) == 1000:
            done.set()

    for i in range(1000):
        assert left.send((i.to_bytes(2),))
    reader = Reader(asyncio.get_running_loop(), right, lambda frames: got.extend(frames), drained)
    async with asyncio.timeout(PATIENCE_S):
        await done.wait()
    assert got == [i.to_bytes(2) for i in range(1000)]
    assert 1 < len(batches) < 20
    reader.close()


async def test_a_handler_that_fails_takes_no_other_message_with_it(pair: Pair) -> None:
    left, right = pair
    loop = asyncio.get_running_loop()
    errors: list[str] = []
    got: list[bytes] = []
    done = asyncio.Event()
    loop.set_exception_handler(lambda loop, context: errors.append(str(context["exception"])))

    def handle(frames: list[bytes]) -> None:
        if frames == [b"bad"]:
            raise RuntimeError("handler")
        got.extend(frames)
        if frames == [b"last"]:
            done.set()

    for frame in (b"first", b"bad", b"last"):
        assert left.send((frame,))
    reader = Reader(loop, right, handle, lambda: None)
    async with asyncio.timeout(PATIENCE_S):
        await done.wait()
    assert (got, errors) == ([b"first", b"last"], ["handler"])
    reader.close()
