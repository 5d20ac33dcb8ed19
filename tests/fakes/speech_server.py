"""A speech server of the OpenAI protocol that behaves, and misbehaves, as it is told to.

Real sockets; each request takes the next behaviour from a queue, the last one for ever. As a program
of its own (``python -m tests.fakes.speech_server``) it prints its address and speaks without end,
until it is killed.
"""

import asyncio
import json
import struct
import sys
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.fakes.http_server import HttpServer

RATE_HZ = 24_000
MS_PER_LETTER = 60


def tone(samples: int) -> bytes:
    """Audible s16le."""
    wave = 8_000 * np.sin(2 * np.pi * 440 / RATE_HZ * np.arange(samples))
    return wave.round().astype("<i2").tobytes()


def spoken(text: str, speed: float = 1.0) -> bytes:
    """What a good server answers to ``text``."""
    return tone(max(1, int(RATE_HZ * MS_PER_LETTER * len(text) / 1000 / speed)))


def wav(pcm: bytes, rate_hz: int = RATE_HZ, channels: int = 1, bits: int = 16) -> bytes:
    """A WAV file as servers stream it: with an odd chunk before the samples, and no true length."""
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    block = channels * bits // 8
    coding = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * block, block, bits)
    chunks = odd + b"fmt " + struct.pack("<I", 16) + coding + b"data" + b"\xff" * 4 + pcm
    return b"RIFF" + b"\xff" * 4 + b"WAVE" + chunks


@dataclass(frozen=True)
class Behaviour:
    """How one request is answered. ``hangs_after`` and ``dies_after`` count pieces (0: before the
    first); ``voices`` are those the server has, any if empty."""

    body: bytes | None = None
    status: int = 200
    kind: str = "audio/pcm"
    piece_bytes: int = 4_801
    hangs_after: int | None = None
    dies_after: int | None = None
    mute: bool = False
    voices: tuple[str, ...] = ()


class SpeechServer(HttpServer):
    """``async with SpeechServer(...) as server:``, then ask ``server.base_url``."""

    def __init__(self, *behaviours: Behaviour) -> None:
        super().__init__()
        self._behaviours = deque(behaviours or (Behaviour(),))
        self.requests: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self.left = asyncio.Event()
        """A client closed its connection while it was being answered."""

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        lines = [line for line in head.lower().split("\r\n") if line.startswith("content-length")]
        asked = json.loads(await reader.readexactly(int(lines[0].split(":")[1])))
        self.requests.append(asked)
        how = self._behaviours.popleft() if len(self._behaviours) > 1 else self._behaviours[0]
        if how.mute:
            await self._until_left(reader)
        elif how.status != 200 or (how.voices and asked["voice"] not in how.voices):
            status = how.status if how.status != 200 else 400
            body = b'{"error": {"message": "no such thing"}}'
            writer.write(_head(status, "application/json", len(body)) + body)
        else:
            body = spoken(asked["input"], asked.get("speed", 1.0)) if how.body is None else how.body
            await self._stream(how, body, reader, writer)
        return False

    async def _stream(
        self,
        how: Behaviour,
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        writer.write(_head(200, how.kind))
        pieces = [body[at : at + how.piece_bytes] for at in range(0, len(body), how.piece_bytes)]
        for count, piece in enumerate([*pieces, b""]):
            await writer.drain()
            if count == how.dies_after:
                writer.transport.abort()
                return
            if count == how.hangs_after:
                await self._until_left(reader)
                return
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()

    async def _until_left(self, reader: asyncio.StreamReader) -> None:
        await reader.read()
        self.left.set()


def _head(status: int, kind: str, length: int | None = None) -> bytes:
    size = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length
    return b"HTTP/1.1 %d X\r\nContent-Type: %s\r\n%s\r\nConnection: close\r\n\r\n" % (
        status, kind.encode(), size,
    )  # fmt: skip


async def _speak_until_killed() -> None:
    endless = Behaviour(body=tone(RATE_HZ), hangs_after=10)
    async with SpeechServer(endless) as server:
        sys.stdout.write(server.base_url + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_speak_until_killed())
