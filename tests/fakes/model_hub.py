"""A model hub that serves a folder as a repository, as much of its API as a download asks for:
the repository's commit, its tree, and its files with their hashes. Real sockets."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.fakes.http_server import HttpServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class ModelHub(HttpServer):
    """``async with ModelHub({"owner/name": folder}) as hub:``, then let ``HF_ENDPOINT`` be
    ``hub.url``.

    With ``status`` it answers every request so; with ``breaks`` it hangs up in the middle of every
    ``model.bin``; with ``hangs`` it stops there until the client goes.
    """

    def __init__(
        self,
        repositories: Mapping[str, Path],
        *,
        status: int = 200,
        breaks: bool = False,
        hangs: bool = False,
    ) -> None:
        super().__init__()
        self._repositories = repositories
        self._status, self._breaks, self._hangs = status, breaks, hangs
        self.requests: list[str] = []
        self.heads: list[str] = []
        self.hung = asyncio.Event()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n")[0].split(" ")
        self.requests.append(f"{method} {target}")
        self.heads.append(head)
        return await self._serve_path(method, unquote(urlsplit(target).path), writer)

    async def _serve_path(self, method: str, path: str, writer: asyncio.StreamWriter) -> bool:
        if self._status != 200:
            _send(writer, method, self._status, b'{"error": "no"}')
            return True
        for repository, folder in self._repositories.items():
            if path.startswith(f"/api/models/{repository}/tree/"):
                _send(writer, method, 200, json.dumps(_tree(folder)).encode())
                return True
            if path.startswith(f"/api/models/{repository}"):
                known = {"id": repository, "modelId": repository, "sha": COMMIT, "siblings": []}
                _send(writer, method, 200, json.dumps(known).encode())
                return True
            if path.startswith(f"/{repository}/resolve/"):
                return await self._file(method, folder / path.split("/")[-1], writer)
        _send(writer, method, 404, b"{}", "X-Error-Code: RepoNotFound\r\n")
        return True

    async def _file(self, method: str, file: Path, writer: asyncio.StreamWriter) -> bool:
        content = _content(file)
        headers = f'ETag: "{_hash(content)}"\r\nX-Repo-Commit: {COMMIT}\r\n'
        if method == "GET" and file.name == "model.bin" and (self._breaks or self._hangs):
            _head(writer, 200, len(content), headers)
            writer.write(content[: len(content) // 2])
            await writer.drain()
            if self._hangs:
                self.hung.set()
                await self._gone(writer)
            writer.transport.abort()
            return False
        _send(writer, method, 200, content, headers)
        return True

    async def _gone(self, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await writer.wait_closed()


def _content(file: Path) -> bytes:
    return file.read_bytes()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _tree(folder: Path) -> list[dict[str, object]]:
    return [
        {
            "type": "file",
            "path": file.name,
            "size": file.stat().st_size,
            "oid": hashlib.sha1(file.read_bytes()).hexdigest(),
        }
        for file in sorted(folder.iterdir())
    ]


def _head(writer: asyncio.StreamWriter, status: int, length: int, headers: str = "") -> None:
    writer.write(
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}"
        f"Content-Length: {length}\r\n\r\n".encode()
    )


def _send(
    writer: asyncio.StreamWriter, method: str, status: int, body: bytes, headers: str = ""
) -> None:
    _head(writer, status, len(body), headers)
    if method != "HEAD":
        writer.write(body)
