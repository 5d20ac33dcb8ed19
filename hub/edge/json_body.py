"""JSON from outside: bounded in depth and number of values before any of it is built.

``read_json`` is how a route reads a body whose schema it checks itself; a route with a typed body
gets the same by ``route_class=LargeBodyRoute`` of its router.
"""

import json
from collections.abc import Callable, Coroutine, Sequence
from itertools import accumulate
from typing import Any, cast

import msgspec
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.bulk import BLOCK_BYTES, Piece, blocks, joined
from hub.edge.held_body import body_of, held_of, off_loop
from hub.edge.limits import MAX_JSON_DEPTH, MAX_JSON_VALUES, PARSED_IN_PLACE_BYTES
from hub.errors import BadBody, TooDeep, TooManyValues

CHECKED = "robot_hub.json_checked"
"""Stands in a request's state once its body was looked at."""

_MARKS = b'"[]{},:'
_OTHERS = bytes(byte for byte in range(256) if byte not in _MARKS)
_STEP = {byte: 1 if byte in b"[{" else -1 for byte in b"[]{}"}
"""What a bracket does to the depth."""


def check_json(body: Piece, depth: int = MAX_JSON_DEPTH, values: int = MAX_JSON_VALUES) -> None:
    """Look at the brackets of a JSON document (RFC 8259, UTF-8) without building anything of it.

    Up to the first byte that is no JSON this sees exactly what a parser sees, and a parser goes no
    further.

    Raises:
        TooDeep: arrays and objects nest deeper than ``depth``.
        TooManyValues: it has more values and keys than ``values``.
        BadBody: it is in another encoding than UTF-8, or names characters that there are not.
    """
    check_pieces([body], depth, values)


def check_pieces(
    pieces: Sequence[Piece], depth: int = MAX_JSON_DEPTH, values: int = MAX_JSON_VALUES
) -> None:
    """The same of a document in pieces."""
    if 0 in b"".join(piece[:4] for piece in pieces[:4])[:4]:
        raise BadBody("JSON is sent in UTF-8")
    if len(pieces) == 1 and _is_plain(pieces[0], depth, values):
        return
    scan = _Scan()
    for block in blocks(pieces):
        scan.feed(block)
        if scan.deepest > depth:
            raise TooDeep(f"a JSON document nests at most {depth} deep")
        if scan.values > values:
            raise TooManyValues(f"a JSON document has at most {values} values")
    if scan.halves:
        # Half of a pair of code units is legal to write and no text: nothing can encode it again.
        _decoded(joined(pieces))


def _is_plain(body: Piece, depth: int, values: int) -> bool:
    """Whether it cannot be too much even if no mark in it stood in a text: of most bodies that can
    be told by counting."""
    if len(body) > BLOCK_BYTES or b"\\ud" in body or b"\\uD" in body:
        return False
    opened = body.count(b"[") + body.count(b"{")
    return opened <= depth and opened + body.count(b",") + body.count(b":") <= values


class _Scan:
    """Where in a document the last block ended."""

    def __init__(self) -> None:
        self.deepest = 0
        self.values = 0
        self.halves = False
        """It may have names of code units that are only half a character (``\\ud83d``)."""
        self._tail = b""
        self._depth = 0
        self._inside = 0
        self._escaped = False

    def feed(self, block: bytes) -> None:
        tail, self._tail = self._tail, (self._tail + block[-2:])[-2:]
        escapes = b"\\" in block or b"\\" in tail
        if self._inside and not escapes and b'"' not in block:
            return  # in the midst of a long text, as most of a picture or a recording is
        if escapes and not self.halves:
            seam = tail + block
            self.halves = b"\\ud" in seam or b"\\uD" in seam
        if self._escaped:
            block = block[1:]
        self._escaped = (len(block) - len(block.rstrip(b"\\"))) % 2 == 1
        if self._escaped:
            block = block[:-1]
        block = block.replace(b"\\\\", b"").replace(b'\\"', b"")
        pieces = block.translate(None, _OTHERS).split(b'"')
        marks = b"".join(pieces[self._inside :: 2])
        self._inside = (self._inside + len(pieces) - 1) % 2
        brackets = marks.translate(None, b",:")
        self.values += len(marks) - brackets.count(b"]") - brackets.count(b"}")
        depths = list(accumulate(map(_STEP.__getitem__, brackets), initial=self._depth))
        self.deepest = max(self.deepest, max(depths))
        self._depth = depths[-1]


def parse_json(body: Piece, checked: bool = False) -> Any:
    """The document; raises ``BadBody``, ``TooDeep`` and ``TooManyValues``."""
    if not checked:
        check_json(body)
    return _decoded(body)


def _decoded(body: Piece) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBody(f"the body is no JSON: {error}") from None


async def read_json(request: Request) -> Any:
    """The body of ``request`` as a document; a large one is parsed off the loop.

    Raises:
        BadBody: it is no JSON; ``TooDeep`` and ``TooManyValues`` where it is more than is taken.
    """
    body = await body_of(request)
    checked = bool(request.scope.get("state", {}).get(CHECKED))
    if len(body) <= PARSED_IN_PLACE_BYTES:
        return parse_json(body, checked)
    return await off_loop(parse_json, body, checked)


class LargeBodyRoute(APIRoute):
    """A FastAPI route whose typed body is parsed by ``read_json``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(_Parsed(request.scope, request.receive))

        return handle


class _Parsed(Request):
    async def body(self) -> bytes:
        held = held_of(self)
        return await super().body() if held is None else cast(bytes, await held.whole())

    async def json(self) -> Any:
        try:
            return await read_json(self)
        except (TooDeep, TooManyValues) as error:
            raise HTTPException(400, str(error)) from None
        except BadBody as error:
            raise json.JSONDecodeError(str(error), "", 0) from None
