"""An embeddings server of the OpenAI protocol that behaves, and misbehaves, as it is told to.

Real sockets. Its vectors are those of the scripted embedder, so that near texts are near.
"""

import asyncio
import base64
import json
from dataclasses import dataclass
from typing import Any

from agents.memory.backends.scripted import ScriptedEmbedder
from tests.fakes.http_server import HttpServer


@dataclass(frozen=True)
class Behaviour:
    """How requests are answered. ``raw`` goes out instead of an answer; ``factor`` multiplies all
    vectors; a server that ``hangs`` answers nothing. An error quotes the texts."""

    status: int = 200
    raw: bytes | None = None
    knows_base64: bool = True
    factor: float = 3.0
    drops_last: bool = False
    hangs: bool = False


class EmbeddingServer(HttpServer):
    """``async with EmbeddingServer(...) as server:``, then ask ``server.base_url``."""

    def __init__(self, how: Behaviour = Behaviour(), dimensions: int = 48) -> None:
        super().__init__()
        self.how = how
        self.requests: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self._dimensions = dimensions

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        lengths = [line for line in head.lower().split("\r\n") if line.startswith("content-length")]
        body = await reader.readexactly(int(lengths[0].split(":")[1]) if lengths else 0)
        if head.startswith("GET"):
            self._send(writer, 200, json.dumps({"data": [{"id": "tiny-embed"}]}).encode())
            return True
        asked = json.loads(body)
        self.requests.append(asked)
        how = self.how
        if how.hangs:
            await reader.read()  # ends when the client goes
        elif how.status != 200:
            said = {"error": {"message": f"not {asked['input']}"}}
            self._send(writer, how.status, json.dumps(said).encode())
        elif how.raw is not None:
            self._send(writer, 200, how.raw)
        elif "encoding_format" in asked and not how.knows_base64:
            self._send(writer, 400, b'{"error": {"message": "unknown encoding_format"}}')
        else:
            self._send(writer, 200, await self._vectors(asked))
        return True

    async def _vectors(self, asked: dict[str, Any]) -> bytes:
        dimensions = asked.get("dimensions", self._dimensions)
        texts = asked["input"]
        vectors = (await ScriptedEmbedder("", dimensions).embed(texts)).vectors * self.how.factor
        data = [
            {
                "index": index,
                "embedding": base64.b64encode(vector.astype("<f4").tobytes()).decode()
                if asked.get("encoding_format") == "base64"
                else vector.tolist(),
            }
            for index, vector in enumerate(vectors)
        ]
        data.reverse()
        kept = data[1:] if self.how.drops_last else data
        return json.dumps({"data": kept, "usage": {"prompt_tokens": 7 * len(texts)}}).encode()

    def _send(self, writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
        writer.write(
            b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % (status, len(body))
        )
        writer.write(body)
