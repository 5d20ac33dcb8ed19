"""A hub as far as ``robot-hub health`` and ``status`` ask it."""

import asyncio
import json
from typing import Any

from tests.fakes.http_server import HttpServer

WELL: dict[str, Any] = {
    "version": "1",
    "ready": True,
    "degraded": {},
    "restarts": {"hub": 0},
    "violations": {"I1": 0},
    "loop": {"p99_ms": 1.0},
    "agents": {"ears-1": {"state": "ready", "lag_ms": 2.0}},
    "clocks": {"r1": {"error_ms": 3.0}},
}
"""What a hub that is well says at ``/status``."""


class StatusServer(HttpServer):
    """Answers ``/livez`` if it is ``alive``, and ``/status`` with ``document``, to whoever shows
    ``token`` if there is one."""

    def __init__(self, document: dict[str, Any], *, token: str = "", alive: bool = True) -> None:
        super().__init__()
        self._document = document
        self._token = token
        self._alive = alive

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, body = 200, self._document
        if head.startswith("GET /livez"):
            status, body = (200, {"alive": True}) if self._alive else (500, {"error": "hangs"})
        elif self._token and f"authorization: bearer {self._token}" not in head.lower():
            status, body = 401, {"error": "not_authorised", "detail": "a token is needed"}
        text = json.dumps(body).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
            f"content-length: {len(text)}\r\n\r\n".encode()
            + text
        )
        return True
