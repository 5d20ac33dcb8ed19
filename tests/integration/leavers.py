"""Clients of every family that hang up at a random moment: raw sockets, so that any byte may be the
last one."""

import asyncio
import base64
import contextlib
import io
import json
import random
import socket
import struct
import wave
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from tests.integration.test_http import WORLD

STORY = "once upon a time there was a robot that went to sea"
ENDLESS = "endless"
"""A story with this word in it has no end: engines go on with it until nobody listens."""
_ABORTS = struct.pack("ii", 1, 0)
_MOST_TURNS = 400
"""Of the loop, that a client waits before it hangs up."""
_READ_BYTES = 65_536


class Moment(Enum):
    """When a client hangs up."""

    HEAD = "within the headers"
    BODY = "within the body"
    WAIT = "before the answer"
    STREAM = "within the answer"
    END = "after the answer"


class Ask(NamedTuple):
    """What a client sends. ``frames`` follow once a WebSocket is open; ``last`` stands in the last
    of its answers. ``flows``: the answer comes piece by piece."""

    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    frames: bytes = b""
    last: bytes = b""
    flows: bool = False

    @property
    def head(self) -> bytes:
        """The request's head."""
        method = "GET" if self.frames else "POST"
        lines = [f"{method} {self.path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _json(path: str, **fields: Any) -> Ask:
    return _sent(path, "application/json", json.dumps(fields).encode())


def _sent(path: str, media_type: str, body: bytes, **headers: str) -> Ask:
    told = {"Content-Type": media_type, "Content-Length": str(len(body)), "Connection": "close"}
    return Ask(path, {**told, **headers}, body)


def _socket(path: str, last: bytes, *messages: dict[str, Any]) -> Ask:
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    frames = b"".join(map(_frame, messages))
    return Ask(path, headers, frames=frames, last=last)


def _frame(message: dict[str, Any]) -> bytes:
    """A text frame of a client whose mask changes nothing (RFC 6455, section 5.2)."""
    payload = json.dumps(message).encode()
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload


def _form(path: str, file: bytes, **fields: str) -> Ask:
    parts = [_part(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts.append(_part('name="file"; filename="a.wav"', file))
    body = b"".join(parts) + b"--boundary--\r\n"
    return _sent(path, "multipart/form-data; boundary=boundary", body)


def _part(name: str, content: bytes) -> bytes:
    return b"--boundary\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (
        name.encode(),
        content,
    )


def wav(seconds: float, rate_hz: int = 44_100) -> bytes:
    """Silence as a file."""
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(bytes(2 * round(seconds * rate_hz)))
    return sink.getvalue()


def _mcp(tool: str, **arguments: Any) -> Ask:
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
    accept = "application/json, text/event-stream"
    return _sent("/mcp", "application/json", json.dumps(call).encode(), Accept=accept)


def asks(story: str) -> dict[str, Ask]:
    """One request of each kind, by name."""
    said = [{"role": "user", "content": story}]
    sound, long_sound = wav(0.2), wav(8.0)
    in_base64 = base64.b64encode(long_sound).decode()
    chat = _json("/v1/chat/completions", model="scripted", messages=said)
    flowing_chat = _json("/v1/chat/completions", model="scripted", messages=said, stream=True)
    upload, speech = "/v1/audio/transcriptions", "/v1/audio/speech"
    told = {"model": "scripted", "input": story, "voice": "a"}
    picture = {"prompt": story, "width": 256, "height": 256, "num_inference_steps": 4}
    config = {"system_prompt": "Be brief.", "cache": False}
    talk = {"type": "start"}, {"type": "text", "text": "hello there"}
    return {
        "chat": chat,
        "chat stream": flowing_chat._replace(flows=True),
        "completion": _json(
            "/v1/completions", model="scripted", prompt=story, stream=True
        )._replace(flows=True),
        "speech": _json(speech, **told, response_format="pcm")._replace(flows=True),
        "speech as mp3": _json(speech, **told),
        "transcription": _form(upload, sound, model="scripted"),
        "long transcription": _form(upload, long_sound, model="scripted", stream="true"),
        "image": _json("/v1/images/generations", prompt=story, size="256x256"),
        "fictures stream": _json("/api/v1/text/stream", prompt=story)._replace(flows=True),
        "fictures image": _json("/api/v1/images/generate", **picture),
        "wespoke chat": _json("/ai/chat", message=story, config={"cache": False}),
        "wespoke audio": _json("/ai/process-audio", audio=in_base64, config=config),
        "auraos": _json("/generate", prompt=story),
        "plan": _json("/plan", **WORLD),
        "robot speech": _json("/tts", text=story)._replace(flows=True),
        "auraos socket": _socket("/generate/stream", b'"done"', {"prompt": story}),
        "wespoke socket": _socket("/ai/stream", b'"done"', *talk),
        "tool": _mcp("txt2txt", prompt=story),
    }


class Leaver:
    """Makes one request after the other to a port, each to be left at a moment of its own."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._seed = seed
        self._asks = asks(STORY)
        self._endless = asks(f"{STORY} {ENDLESS}")

    @property
    def kinds(self) -> list[str]:
        """Names of the requests."""
        return list(self._asks)

    async def visit(self, number: int) -> tuple[str, Moment]:
        """The request of that number; what it was and when it was left."""
        chance = random.Random(f"{self._seed}-{number}")
        kind, moment = chance.choice(self.kinds), chance.choice(list(Moment))
        await self.leave(kind, moment, chance)
        return kind, moment

    async def leave(self, kind: str, moment: Moment, chance: random.Random) -> bytes:
        """Make a request and hang up at ``moment``, politely or not; what was answered by then."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        if chance.random() < 0.5:
            peer = writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTS)
        try:
            return await _left(self._ask(kind, moment), moment, chance, reader, writer)
        except ConnectionError:
            return b""
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _ask(self, kind: str, moment: Moment) -> Ask:
        """Whoever waits to the end asks for something that has one; nobody else does."""
        ask = self._endless[kind]
        waits = moment is Moment.END or (moment is Moment.STREAM and not ask.flows)
        return self._asks[kind] if waits else ask


async def _left(
    ask: Ask,
    moment: Moment,
    chance: random.Random,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bytes:
    if moment is Moment.HEAD:
        await _send(writer, ask.head[: chance.randrange(len(ask.head))])
        return b""
    await _send(writer, ask.head)
    if ask.frames:
        await reader.readuntil(b"\r\n\r\n")
    content = ask.frames or ask.body
    if moment is Moment.BODY:
        content = content[: chance.randrange(len(content))]
    await _send(writer, content)
    if moment in (Moment.BODY, Moment.WAIT):
        for _ in range(chance.randrange(_MOST_TURNS)):
            await asyncio.sleep(0)
        return b""
    return await _read(ask, reader, 1 if moment is Moment.STREAM else -1)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _read(ask: Ask, reader: asyncio.StreamReader, pieces: int) -> bytes:
    """So many pieces of the answer; if negative, all of it."""
    answer = b""
    while pieces and not (ask.last and ask.last in answer):
        piece = await reader.read(_READ_BYTES)
        if not piece:
            break
        answer += piece
        pieces -= 1
    return answer
