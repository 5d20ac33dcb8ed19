"""How a robot comes by its token: it shows a code, and asks until somebody has confirmed it."""

import asyncio
import http.client
import ssl
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from protocols.identity import checked_robot_id
from robot_sim.errors import PairingFailed

ASK_EVERY_S = 1.0
_TIMEOUT_S = 5.0
_MOST_BYTES = 64 * 1024
_CREATED = 201


class Paired(NamedTuple):
    """What the hub gave."""

    token: str
    hub_id: str


class _Answer(NamedTuple):
    status: int
    document: Mapping[str, Any]


async def pair(
    url: str, robot_id: str, show: Callable[[str, int], None], ask_every_s: float = ASK_EVERY_S
) -> Paired:
    """Pair with the hub at ``url``; ``show`` is given the code, and for how many seconds it is
    good.

    Raises:
        PairingFailed: nobody confirmed it in time, or the hub refuses or does not answer.
    """
    begun = await _ask(url, "/pairing", {"robot_id": checked_robot_id(robot_id)})
    if begun.status != _CREATED:
        raise PairingFailed(f"the hub does not pair: {_reason(begun)}")
    secret = str(begun.document.get("pairing", ""))
    show(str(begun.document.get("code", "")), int(begun.document.get("expires_in_s", 0)))
    while True:
        await asyncio.sleep(ask_every_s)
        answer = await _ask(url, "/pairing/token", {"pairing": secret})
        match answer.status:
            case 200:
                document = answer.document
                return Paired(str(document.get("token", "")), str(document.get("hub_id", "")))
            case 202 | 429:
                continue
            case 404:
                raise PairingFailed("nobody confirmed the code in time")
        raise PairingFailed(f"the hub does not pair: {_reason(answer)}")


def _reason(answer: _Answer) -> str:
    detail = answer.document.get("detail") or answer.document.get("error") or ""
    return f"HTTP {answer.status} {detail}".strip()


async def _ask(url: str, path: str, body: dict[str, str]) -> _Answer:
    return await asyncio.to_thread(_post, url, path, msgspec.json.encode(body))


def _post(url: str, path: str, body: bytes) -> _Answer:
    """In a thread."""
    parts = urlsplit(url if "://" in url else f"ws://{url}")
    host = parts.hostname or ""
    secure = parts.scheme in ("wss", "https")
    try:
        connection: http.client.HTTPConnection = http.client.HTTPConnection(
            host, parts.port, timeout=_TIMEOUT_S
        )
        if secure:
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                host, parts.port, timeout=_TIMEOUT_S, context=context
            )
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            document = msgspec.json.decode(answer.read(_MOST_BYTES))
            return _Answer(answer.status, document if isinstance(document, dict) else {})
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise PairingFailed(f"the hub at {url} cannot be asked: {error}") from error
