"""JSON from outside: bounded in depth and number of values before any of it is built.

``read_json`` is how a route reads a body whose schema it checks itself; a route with a typed body
gets the same by ``route_class=LargeBodyRoute`` of its router.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, cast

import msgspec
import numpy as np
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.held_body import body_of, held_of, off_loop
from hub.edge.limits import MAX_JSON_DEPTH, MAX_JSON_VALUES, PARSED_IN_PLACE_BYTES
from hub.errors import BadBody, TooDeep, TooManyValues

CHECKED = "robot_hub.json_checked"
"""Stands in a request's state once its body was looked at."""

_BLOCK_BYTES = 64 * 1024
"""What is looked at in one step: a thread that holds the interpreter for long stalls the loop."""
_MARKS = b'"[]{},:'
_OTHERS = bytes(byte for byte in range(256) if byte not in _MARKS)
_QUOTE = ord('"')
_STEP = np.zeros(256, np.int8)
_STEP[list(b"[{")], _STEP[list(b"]}")] = 1, -1
_COUNTED = np.zeros(256, np.int8)
_COUNTED[list(b"[{,:")] = 1


def check_json(
    body: bytes | bytearray, depth: int = MAX_JSON_DEPTH, values: int = MAX_JSON_VALUES
) -> None:
    """Look at the brackets of a JSON document (RFC 8259, UTF-8) without building anything of it.

    Up to the first byte that is no JSON this sees exactly what a parser sees, and a parser goes no
    further.

    Raises:
        TooDeep: arrays and objects nest deeper than ``depth``.
        TooManyValues: it has more values and keys than ``values``.
        BadBody: it is in another encoding than UTF-8, or names characters that there are not.
    """
    if 0 in body[:4]:
        raise BadBody("JSON is sent in UTF-8")
    scan = _Scan()
    for start in range(0, len(body), _BLOCK_BYTES):
        scan.feed(bytes(body[start : start + _BLOCK_BYTES]))
        if scan.deepest > depth:
            raise TooDeep(f"a JSON document nests at most {depth} deep")
        if scan.values > values:
            raise TooManyValues(f"a JSON document has at most {values} values")
    if scan.halves:
        # Half of a pair of code units is legal to write and no text: nothing can encode it again.
        _decoded(body)


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
        if not self.halves:
            seam = self._tail + block
            self.halves = b"\\ud" in seam or b"\\uD" in seam
            self._tail = block[-2:]
        if self._escaped:
            block = block[1:]
        self._escaped = (len(block) - len(block.rstrip(b"\\"))) % 2 == 1
        if self._escaped:
            block = block[:-1]
        block = block.replace(b"\\\\", b"").replace(b'\\"', b"")
        marks = np.frombuffer(block.translate(None, _OTHERS), np.uint8)
        if not len(marks):
            return
        outside = (np.cumsum(marks == _QUOTE, dtype=np.int32) + self._inside) % 2 == 0
        depths = self._depth + np.cumsum(_STEP[marks] * outside, dtype=np.int32)
        self.values += int(np.count_nonzero(_COUNTED[marks] * outside))
        self.deepest = max(self.deepest, int(depths.max()))
        self._depth = int(depths[-1])
        self._inside = 0 if outside[-1] else 1


def parse_json(body: bytes | bytearray, checked: bool = False) -> Any:
    """The document; raises ``BadBody``, ``TooDeep`` and ``TooManyValues``."""
    if not checked:
        check_json(body)
    return _decoded(body)


def _decoded(body: bytes | bytearray) -> Any:
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
        return await super().body() if held is None else cast(bytes, held)

    async def json(self) -> Any:
        try:
            return await read_json(self)
        except (TooDeep, TooManyValues) as error:
            raise HTTPException(400, str(error)) from None
        except BadBody as error:
            raise json.JSONDecodeError(str(error), "", 0) from None
