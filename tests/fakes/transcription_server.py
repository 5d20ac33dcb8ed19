"""A transcription server of the OpenAI protocol that behaves, and misbehaves, as it is told to.

Real sockets; each upload takes the next behaviour from a queue, the last one for ever.
"""

import asyncio
import io
import json
import wave
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import NamedTuple

from tests.fakes.http_server import ListingServer, begin, send


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


class TranscriptionServer(ListingServer[Behaviour]):
    """``async with TranscriptionServer(...) as server:``, then ask ``server.base_url``."""

    def __init__(
        self,
        *behaviours: Behaviour,
        models: tuple[str, ...] = ("whisper-1",),
        list_status: int = 200,
    ) -> None:
        super().__init__(behaviours or (Behaviour(),), models, list_status)
        self.uploads: list[Upload] = []

    async def _obey(
        self,
        how: Behaviour,
        head: str,
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        upload = _parsed(head, body)
        self.uploads.append(upload)
        if how.dies or how.hangs:
            if how.hangs:
                await self._until_left(reader)
            writer.transport.abort()
            return False
        answer = _body(how, upload.form["response_format"])
        if how.hangs_half or how.dies_half:
            begin(writer, 200, len(answer))
            writer.write(answer[: len(answer) // 2])
            await writer.drain()
            if how.hangs_half:
                await self._until_left(reader)
            writer.transport.abort()
            return False
        refused = upload.form["response_format"] in how.refuses
        send(writer, how.refusal_status if refused else how.status, answer)
        return True


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
