"""JSON-RPC messages without their long texts, so that an SDK that parses them on the loop has little
to parse. A picture in base64 is put aside and comes back when its tool is called.
"""

import secrets
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request

from hub.edge.held_body import body_of, off_loop
from hub.edge.limits import PARSED_IN_PLACE_BYTES
from hub.errors import BadBody, BodyTooLarge

PUT_ASIDE_CHARS = 16_384
"""Texts in a tool's arguments that are longer are put aside."""
MAX_LIGHT_BYTES = 1024 * 1024
"""What may be left of a message."""


class LightMessage(NamedTuple):
    """A message for the SDK, what was put aside of it by the text that stands in its place, and its
    method."""

    body: bytes
    aside: dict[str, str]
    method: str = ""


async def read_light(request: Request) -> LightMessage:
    """The message that ``request`` brings.

    Raises:
        BadBody: it is no JSON.
        BodyTooLarge: without its long texts it is still too large.
    """
    body = await body_of(request)
    if not body:
        return LightMessage(b"", {})
    if len(body) <= PARSED_IN_PLACE_BYTES:
        return LightMessage(bytes(body), {}, _method(_decoded(body)))
    return await off_loop(lightened, body)


def lightened(body: bytes | bytearray) -> LightMessage:
    """``body`` without long texts in its arguments; raises as ``read_light``."""
    message = _decoded(body)
    aside: dict[str, str] = {}
    if isinstance(message, dict) and isinstance(message.get("params"), dict):
        # Nobody can guess the name of somebody else's text, nor send one that is mistaken for it.
        mark = f"aside-{secrets.token_hex(16)}"
        params = message["params"]
        params["arguments"] = _without_texts(params.get("arguments"), mark, aside)
        if params["arguments"] is None:
            del params["arguments"]
    light = msgspec.json.encode(message)
    if len(light) > MAX_LIGHT_BYTES:
        raise BodyTooLarge(f"a message may have {MAX_LIGHT_BYTES} bytes beside long texts")
    return LightMessage(light, aside, _method(message))


def restored(value: Any, aside: dict[str, str]) -> Any:
    """``value`` with what was put aside in its place again."""
    if not aside:
        return value
    match value:
        case str():
            return aside.get(value, value)
        case list():
            return [restored(each, aside) for each in value]
        case dict():
            return {key: restored(each, aside) for key, each in value.items()}
    return value


def _without_texts(value: Any, mark: str, aside: dict[str, str]) -> Any:
    match value:
        case str() if len(value) > PUT_ASIDE_CHARS:
            name = f"{mark}-{len(aside)}"
            aside[name] = value
            return name
        case list():
            return [_without_texts(each, mark, aside) for each in value]
        case dict():
            return {key: _without_texts(each, mark, aside) for key, each in value.items()}
    return value


def _decoded(body: bytes | bytearray) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBody(f"the body is no JSON: {error}") from None


def _method(message: Any) -> str:
    method = message.get("method") if isinstance(message, dict) else None
    return method if isinstance(method, str) else ""
