"""Looks on at what a robot feels, as the hub tells whoever watches: ``WS /observe``."""

import asyncio
from typing import NamedTuple
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from robot_sim.link import websocket_base

FEELINGS = "affect.state"
_AGAIN_S = 1.0
_MAX_BYTES = 4 << 20


class Felt(NamedTuple):
    """A mood that feelings have said is to be shown."""

    mood: str
    intensity: float


class _Feelings(msgspec.Struct):
    mood: str
    intensity: float


class _Entry(msgspec.Struct):
    topic: str = ""
    robot: str = ""
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Frame(msgspec.Struct):
    states: tuple[_Entry, ...] = ()


class Onlooker:
    """``felt`` is what the robot feels, as far as it is known; ``refused`` says why nobody
    tells it now."""

    def __init__(self, url: str, robot: str, token: str | None = None) -> None:
        """``url`` is the hub's base, ``http(s)://`` or ``ws(s)://``."""
        self._url = f"{websocket_base(url)}/observe?robot={quote(robot, safe='')}"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._robot = robot
        self.felt: Felt | None = None
        self.refused = ""

    async def run(self) -> None:
        """Look on until cancelled, over any number of sockets."""
        while True:
            try:
                async with connect(
                    self._url, additional_headers=self._headers, compression=None, proxy=None,
                    max_size=_MAX_BYTES,
                ) as page:  # fmt: skip
                    self.refused = ""
                    async for frame in page:
                        self.felt = felt_by(self._robot, frame) or self.felt
            except (OSError, ConnectionClosed, InvalidHandshake) as error:
                self.refused = str(error)
            await asyncio.sleep(_AGAIN_S)


def felt_by(robot: str, frame: str | bytes) -> Felt | None:
    """What a frame says that ``robot`` feels; None if it says nothing of it, or cannot be read."""
    try:
        told = [
            msgspec.json.decode(entry.body, type=_Feelings)
            for entry in msgspec.json.decode(frame, type=_Frame).states
            if entry.topic == FEELINGS and entry.robot == robot
        ]
    except msgspec.MsgspecError:
        return None
    return Felt(told[-1].mood, told[-1].intensity) if told else None
