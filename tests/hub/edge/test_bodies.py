"""Bodies of requests over a real socket: size, time, memory, depth."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request

from hub.counters import Counters
from hub.edge.bodies import Bodies
from hub.edge.form_body import read_form
from hub.edge.json_body import LargeBodyRoute, read_json
from hub.edge.limits import (
    BODIES,
    MAX_UPLOAD_BYTES,
    PARSED_IN_PLACE_BYTES,
    BodyClass,
    BodyPatience,
    HeadLimits,
    body_class,
)
from hub.store import tokens
from tests.hub.edge.conftest import Edge, served

ROUTES = APIRouter(route_class=LargeBodyRoute)
JSON = {"Content-Type": "application/json"}


class Clip(BaseModel):
    audio: str
    more: dict[str, Any] = {}


@ROUTES.post("/ai/transcribe")
async def _typed(clip: Clip) -> dict[str, int]:
    return {"bytes": len(clip.audio)}


@ROUTES.post("/v1/chat/completions")
async def _untyped(request: Request) -> dict[str, int]:
    return {"keys": len(await read_json(request))}


@ROUTES.post("/v1/audio/transcriptions")
async def _form(request: Request) -> dict[str, int]:
    form = await read_form(request)
    upload = form.file("file")
    return {"bytes": len(upload.content) if upload is not None else -1}


@pytest.fixture
async def open_edge(tmp_path: Path) -> AsyncIterator[Edge]:
    async with served(tmp_path, routes=ROUTES) as made:
        yield made


def pieces(body: bytes) -> AsyncIterator[bytes]:
    async def generate() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    return generate()


def test_each_route_takes_what_it_needs_with_or_without_its_familys_base() -> None:
    assert body_class("/plan") is body_class("/nowhere") is BodyClass.CONTROL
    assert body_class("/ai/chat") is body_class("/wespoke/ai/chat") is BodyClass.TEXT
    assert body_class("/ai/transcribe") is BodyClass.MEDIA
    assert body_class("/v1/audio/transcriptions") is BodyClass.UPLOAD
    assert body_class("/v1/audio/speech") is BodyClass.TEXT
    assert len({path for path, _ in BODIES}) == len(BODIES)
    assert BodyClass.MEDIA.value > MAX_UPLOAD_BYTES * 4 / 3


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/ai/transcribe"])
async def test_the_largest_upload_is_taken_and_one_byte_more_than_its_class_is_413(
    open_edge: Edge, path: str
) -> None:
    sound = bytes(MAX_UPLOAD_BYTES)
    if path.startswith("/ai"):
        text = "A" * (MAX_UPLOAD_BYTES * 4 // 3)
        taken = await open_edge.http.post(path, json={"audio": text}, timeout=30)
        assert taken.json() == {"bytes": len(text)}
    else:
        taken = await open_edge.http.post(path, files={"file": ("x.wav", sound)}, timeout=30)
        assert taken.json() == {"bytes": MAX_UPLOAD_BYTES}
    limit = body_class(path).value
    for content in (bytes(limit + 1), pieces(bytes(limit + 1))):
        refused = await open_edge.http.post(path, content=content, headers=JSON, timeout=30)
        assert refused.status_code == 413
    assert open_edge.counters.read()["requests_refused.too_large"] == 2


@pytest.mark.parametrize("base", ["", "/robot-buddy"])
async def test_a_large_body_where_none_is_needed_is_413(open_edge: Edge, base: str) -> None:
    body = {"text": "x" * BodyClass.CONTROL.value}
    answer = await open_edge.http.post(f"{base}/tts", json=body)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def test_nobody_without_a_token_makes_the_hub_read_a_body(open_edge: Edge) -> None:
    tokens.create(open_edge.db)
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            read.append(1)
            yield bytes(65_536)
            await asyncio.sleep(0)

    # What goes on coming is thrown away and then cut off: the client reads either.
    with contextlib.suppress(httpx.HTTPError):
        answer = await open_edge.http.post("/v1/chat/completions", content=endless(), timeout=20)
        assert answer.status_code == 401
    assert 10 < len(read) < 4_000
    assert (await open_edge.http.get("/livez")).status_code == 200


BOMBS = {
    "lists": b"[" * 200_000,
    "objects": b'{"more":' * 25_000,
    "in a field": b'{"audio":"x","more":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "just too deep": b'{"audio":"x","more":{"a":' + b"[" * 63 + b"]" * 63 + b"}}",
}


@pytest.mark.parametrize("path", ["/tts", "/ai/transcribe", "/v1/chat/completions", "/nowhere"])
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
async def test_a_bomb_of_json_is_400_on_every_route_and_the_hub_goes_on(
    open_edge: Edge, path: str, bomb: bytes
) -> None:
    answer = await open_edge.http.post(path, content=bomb, headers=JSON)
    assert answer.status_code == 400
    assert "64 deep" in answer.text
    assert open_edge.counters.read()["requests_refused.json_too_deep"] == 1


async def test_json_that_hides_behind_its_encoding_or_its_type_is_no_500(open_edge: Edge) -> None:
    bomb = "[" * 50_000
    for body, kind in (
        (bomb.encode("utf-16"), "application/json"),
        (bomb.encode(), "application/problem+json; charset=utf-8"),
        (bomb.encode(), "text/plain"),
        (b"\xff\xfe{", "application/json"),
        (b'{"seq": NaN}', "application/json"),
        (b'{"text": "\\ud800"}', "application/json"),
    ):
        for path in ("/v1/chat/completions", "/ai/transcribe", "/tts", "/plan"):
            headers = {"Content-Type": kind}
            answer = await open_edge.http.post(path, content=body, headers=headers)
            assert answer.status_code in (400, 422), (body[:20], kind, path)


async def test_a_large_document_is_parsed_the_same(open_edge: Edge) -> None:
    text = "[" * PARSED_IN_PLACE_BYTES
    for path, answer in (
        ("/ai/transcribe", {"bytes": len(text)}),
        ("/v1/chat/completions", {"keys": 1}),
    ):
        got = await open_edge.http.post(path, json={"audio": text})
        assert got.json() == answer
        broken = json.dumps({"audio": text})[:-1].encode()
        got = await open_edge.http.post(path, content=broken, headers=JSON)
        assert got.status_code == 400


@pytest.mark.parametrize("head", [b"Content-Length: 40", b"Transfer-Encoding: chunked"])
async def test_a_body_that_stops_coming_is_408_and_hung_up_on(tmp_path: Path, head: bytes) -> None:
    slow = {"patience": BodyPatience(grace_s=0.05), "head": HeadLimits(timeout_s=0.2)}
    async with served(tmp_path, **slow) as edge:
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(b"POST /tts HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\n5\r\n")
        async with asyncio.timeout(5):
            answer = await all_of(reader)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"body_too_slow" in answer
        assert edge.counters.read()["requests_refused.body_too_slow"] == 1


async def test_a_body_that_was_refused_and_goes_on_trickling_is_cut_off(tmp_path: Path) -> None:
    async with served(tmp_path, head=HeadLimits(timeout_s=0.2)) as edge:
        tokens.create(edge.db)
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(b"POST /tts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 400\r\n\r\n{")
        async with asyncio.timeout(5):
            answer = await all_of(reader)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 401 ")


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """What comes until the hub hangs up, by the book or not."""
    read = b""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(1_000):
            read += piece
    return read


def test_a_body_that_trickles_runs_out_of_patience_and_an_honest_slow_one_does_not() -> None:
    patience = BodyPatience()
    assert patience.left_s(14, 14.9) > 0
    assert patience.left_s(15, 15.1) < 0
    for second in range(1, 700):
        assert patience.left_s(second * 48_000, second) > 0


async def test_a_client_that_leaves_in_its_body_leaves_nothing_behind(open_edge: Edge) -> None:
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", open_edge.port)
        writer.write(b"POST /tts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 40\r\n\r\n{")
        await writer.drain()
        writer.transport.abort()
    assert (await open_edge.http.post("/tts", json={"text": "hi"})).status_code == 200
    assert open_edge.jobs.requests[0].text == "hi"
    assert len(open_edge.jobs.requests) == 1


class Pieces:
    """An ASGI client that sends ``bodies`` and keeps what it is answered."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self.status = 0

    async def receive(self) -> dict[str, Any]:
        piece = next(self._pieces, None)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)


async def test_all_bodies_together_stay_within_their_memory() -> None:
    """The second large body finds no room while the first is being worked on, and does after."""
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        inside.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    counters = Counters()
    bodies = Bodies(app, counters, BodyPatience(), memory_bytes=100)
    scope = {
        "type": "http", "path": "/tts", "method": "POST", "query_string": b"",
        "headers": [(b"transfer-encoding", b"chunked")],
    }  # fmt: skip

    class Whole(Pieces):
        async def receive(self) -> dict[str, Any]:
            return {**await super().receive(), "more_body": False}

    first, second, third = Whole(bytes(60)), Whole(bytes(60)), Whole(bytes(100))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bodies(dict(scope), first.receive, first.send))
        await inside.wait()
        await bodies(dict(scope), second.receive, second.send)
        go_on.set()
    await bodies(dict(scope), third.receive, third.send)
    assert (first.status, second.status, third.status) == (200, 429, 200)
    assert counters.read() == {"requests_refused.rate_limited": 1}
