"""A transcription server of the OpenAI protocol that behaves, and misbehaves, as it is told to.

Real sockets; each upload takes the next behaviour from a queue, the last one for ever.
"""

import asyncio
import io
import json
import wave
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import NamedTuple

from tests.fakes.http_server import HttpServer


class Upload(NamedTuple):
    """What a client sent: the fields of its form, and the sound in its file."""

    form: dict[str, str]
    filename: str
    rate_hz: int
    channels: int
    pcm: bytes


@dataclass(frozen=True)
class Behaviour:
    """How one upload is answered.

    ``segments`` are what ``verbose_json`` says beside the text. ``refuses`` names formats that get
    ``refusal_status``. ``raw`` is a body as it is. ``hangs`` answers nothing, ``hangs_half`` half a
    body; ``dies`` ends the connection before an answer, ``dies_half`` in the middle of its body.
    """

    text: str = "hello robot"
    language: str = "english"
    segments: tuple[dict[str, object], ...] = ()
    status: int = 200
    refuses: tuple[str, ...] = ()
    refusal_status: int = 400
    raw: bytes | None = None
    hangs: bool = False
    hangs_half: bool = False
    dies: bool = False
    dies_half: bool = False


def segment(
    text: str, avg_logprob: float, no_speech_prob: float = 0.0, tokens: int = 4
) -> dict[str, object]:
    """A stretch of a transcript, as ``verbose_json`` has it."""
    return {
        "text": text,
        "avg_logprob": avg_logprob,
        "no_speech_prob": no_speech_prob,
        "tokens": list(range(tokens)),
    }


class TranscriptionServer(HttpServer):
    """``async with TranscriptionServer(...) as server:``, then ask ``server.base_url``.

    ``models`` is what it lists; with ``list_status`` it answers that instead.
    """

    def __init__(
        self,
        *behaviours: Behaviour,
        models: tuple[str, ...] = ("whisper-1",),
        list_status: int = 200,
    ) -> None:
        super().__init__()
        self._behaviours = deque(behaviours or (Behaviour(),))
        self._models, self._list_status = models, list_status
        self.uploads: list[Upload] = []
        self.heads: list[str] = []
        self.waiting = 0
        """Uploads that hang now."""
        self.most_waiting = 0
        self.hung = asyncio.Event()
        self.left = asyncio.Event()
        """A client closed its connection while it was being answered."""

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False if the connection is over."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        lengths = [line for line in head.split("\r\n") if line.lower().startswith("content-length")]
        body = await reader.readexactly(int(lengths[0].split(":")[1]) if lengths else 0)
        if head.startswith("GET"):
            listed = {"data": [{"id": model} for model in self._models]}
            _send(writer, self._list_status, json.dumps(listed).encode())
            return True
        upload = _parsed(head, body)
        self.uploads.append(upload)
        how = self._behaviours.popleft() if len(self._behaviours) > 1 else self._behaviours[0]
        return await self._transcribe(how, upload, reader, writer)

    async def _transcribe(
        self,
        how: Behaviour,
        upload: Upload,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        if how.dies or how.hangs:
            if how.hangs:
                await self._until_left(reader)
            writer.transport.abort()
            return False
        answer = _body(how, upload.form["response_format"])
        if how.hangs_half or how.dies_half:
            _head(writer, 200, len(answer))
            writer.write(answer[: len(answer) // 2])
            await writer.drain()
            if how.hangs_half:
                await self._until_left(reader)
            writer.transport.abort()
            return False
        refused = upload.form["response_format"] in how.refuses
        _send(writer, how.refusal_status if refused else how.status, answer)
        return True

    async def _until_left(self, reader: asyncio.StreamReader) -> None:
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        self.hung.set()
        with suppress(ConnectionError):
            await reader.read()  # ends when the client goes
        self.waiting -= 1
        self.left.set()


def _body(how: Behaviour, response_format: str) -> bytes:
    if how.raw is not None:
        return how.raw
    if how.status != 200 or response_format in how.refuses:
        return b'{"error": {"message": "no, not that"}}'
    answer: dict[str, object] = {"text": how.text}
    if response_format == "verbose_json":
        answer |= {"task": "transcribe", "language": how.language, "segments": list(how.segments)}
    return json.dumps(answer).encode()


def _parsed(head: str, body: bytes) -> Upload:
    kind = next(line for line in head.split("\r\n") if line.lower().startswith("content-type"))
    message = BytesParser(policy=HTTP).parsebytes(kind.encode() + b"\r\n\r\n" + body)
    form, filename, file = {}, "", b""
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if name == "file":
            filename, file = part.get_filename() or "", content
        else:
            form[str(name)] = content.decode()
    with wave.open(io.BytesIO(file)) as sound:
        assert sound.getsampwidth() == 2
        pcm = sound.readframes(sound.getnframes())
        return Upload(form, filename, sound.getframerate(), sound.getnchannels(), pcm)


def _head(writer: asyncio.StreamWriter, status: int, length: int) -> None:
    writer.write(
        b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % (status, length)
    )


def _send(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    _head(writer, status, len(body))
    writer.write(body)
