"""A server of the OpenAI images API that behaves, and misbehaves, as it is told to.

Real sockets; each order takes the next behaviour from a queue, the last one for ever. What it makes
is one colour, by all that it was told.
"""

import asyncio
import base64
import json
import zlib
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, NamedTuple

import numpy as np

from agents.image_gen.png import png_of
from tests.fakes.http_server import ListingServer, send


class Asked(NamedTuple):
    """What a client sent: the route, the fields, and the files beside them."""

    route: str
    fields: dict[str, Any]
    files: dict[str, bytes]


@dataclass(frozen=True)
class Behaviour:
    """How one order is answered.

    ``unknown`` names fields that get a 400, ``no_edits`` says that the route does not exist.
    ``addresses`` answers with addresses whatever was asked for; ``picture`` is what every picture
    is. ``raw`` is a body as it is. ``hangs`` answers nothing, ``dies`` ends the connection.
    """

    status: int = 200
    unknown: tuple[str, ...] = ()
    no_edits: bool = False
    addresses: bool = False
    picture: bytes | None = None
    raw: bytes | None = None
    hangs: bool = False
    dies: bool = False


class ImageServer(ListingServer[Behaviour]):
    """``async with ImageServer(...) as server:``, then ask ``server.base_url``."""

    def __init__(
        self,
        *behaviours: Behaviour,
        models: tuple[str, ...] = ("words", "stablediffusion"),
        list_status: int = 200,
    ) -> None:
        super().__init__(behaviours or (Behaviour(),), models, list_status)
        self.asked: list[Asked] = []

    async def _obey(
        self,
        how: Behaviour,
        head: str,
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        asked = _parsed(head, body)
        self.asked.append(asked)
        if how.hangs or how.dies:
            if how.hangs:
                await self._until_left(reader)
            writer.transport.abort()
            return False
        send(writer, *_answer_to(how, asked))
        return True


def _answer_to(how: Behaviour, asked: Asked) -> tuple[int, bytes]:
    if how.no_edits and asked.route == "edits":
        return 404, b'{"error": {"message": "no such route"}}'
    unknown = [name for name in how.unknown if name in asked.fields]
    if unknown:
        said = f"Unknown parameter: '{unknown[0]}'."
        return 400, json.dumps({"error": {"message": said}}).encode()
    if how.raw is not None or how.status != 200:
        return how.status, how.raw or b'{"error": {"message": "no, not that"}}'
    if how.addresses:
        return 200, b'{"data": [{"url": "http://127.0.0.1:9/generated-images/b64.png"}]}'
    picture = how.picture if how.picture is not None else _drawn(asked)
    item = {"b64_json": base64.b64encode(picture).decode()}
    return 200, json.dumps({"created": 1, "data": [item]}).encode()


def _drawn(asked: Asked) -> bytes:
    told = repr((sorted((k, str(v)) for k, v in asked.fields.items()), asked.files)).encode()
    width, height = map(int, str(asked.fields["size"]).split("x"))
    colour = np.frombuffer(zlib.crc32(told).to_bytes(4, "big")[:3], np.uint8)
    return png_of(np.broadcast_to(colour, (height, width, 3)))


def _parsed(head: str, body: bytes) -> Asked:
    route = head.split(" ", 2)[1].rpartition("/")[2]
    kind = next(line for line in head.split("\r\n") if line.lower().startswith("content-type"))
    if "json" in kind:
        return Asked(route, json.loads(body), {})
    message = BytesParser(policy=HTTP).parsebytes(kind.encode() + b"\r\n\r\n" + body)
    fields: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_filename():
            files[name] = content
        else:
            fields[name] = content.decode()
    return Asked(route, fields, files)
