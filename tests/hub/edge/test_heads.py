"""What comes before a body, over a bare socket: too much, too many, too slowly."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.edge.limits import HeadLimits
from tests.hub.edge.conftest import Edge, served

LIMITS = HeadLimits(url_bytes=500, headers=20, bytes=2_000, timeout_s=0.2)
GET = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Edge]:
    async with served(tmp_path, head=LIMITS) as made:
        yield made


async def answered(edge: Edge, *sent: bytes) -> bytes:
    """All that comes back until the hub hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    for piece in sent:
        writer.write(piece)
        await writer.drain()
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (b"GET /status?" + b"x" * 500 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414, b"url_too_long"),
        (GET + b"X: y\r\n" * 20 + b"\r\n", 431, b"headers_too_large"),
        (GET + b"X: " + b"y" * 2_000 + b"\r\n\r\n", 431, b"headers_too_large"),
        (GET + b"X: " + b"y" * 4_000, 431, b"headers_too_large"),
        (b"GET /" + b"y" * 4_000, 431, b"headers_too_large"),
        (b"nonsense\r\n\r\n", 400, b"bad_body"),
    ],
)  # fmt: skip
async def test_a_head_that_is_too_large_or_no_head_is_refused_and_hung_up_on(
    strict: Edge, head: bytes, status: int, code: bytes
) -> None:
    answer = await answered(strict, head)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert code in answer
    assert strict.counters.read() == {f"requests_refused.{code.decode()}": 1}
    assert (await strict.http.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    "start", [b"", b"\r\n", b"G", b"GET /livez HTTP/1.1\r\n", GET + b"X: y\r\n"]
)
async def test_a_connection_that_does_not_say_what_it_wants_is_hung_up_on(
    strict: Edge, start: bytes
) -> None:
    answer = await answered(strict, start)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert strict.counters.read() == {"requests_refused.body_too_slow": 1}


async def test_a_head_that_trickles_is_late_however_often_it_comes(strict: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", strict.port)
    sending = GET
    async with asyncio.timeout(5):
        while not reader.at_eof():
            writer.write(sending)
            sending = b"X"
            try:
                async with asyncio.timeout(0.02):
                    answer = await reader.read(12)
                break
            except TimeoutError:
                continue
    writer.close()
    assert answer == b"HTTP/1.1 408"


async def test_a_second_request_on_a_connection_has_its_own_time_and_size(strict: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", strict.port)
    for _ in range(5):
        writer.write(GET + b"X: " + b"y" * 900 + b"\r\n\r\n")
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(b'{"alive":true}'))
        assert head.startswith(b"HTTP/1.1 200 ")
    writer.write(GET)
    async with asyncio.timeout(5):
        assert (await reader.read(12)) == b"HTTP/1.1 408"
    writer.close()


async def test_line_ends_between_requests_keep_no_connection_open(strict: Edge) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", strict.port)
    writer.write(GET + b"\r\n")
    async with asyncio.timeout(5):
        await reader.readuntil(b'{"alive":true}')
        writer.write(b"\r\n")
        assert (await reader.read(12)) == b"HTTP/1.1 408"
    writer.close()


async def test_a_refusal_before_any_route_has_the_shape_of_its_family(strict: Edge) -> None:
    answer = await answered(
        strict, b"POST /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 20 + b"\r\n"
    )
    assert b'"type": "invalid_request_error"' in answer
    assert b"content-type: application/json" in answer
