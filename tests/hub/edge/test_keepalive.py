"""How long the hub waits for a sign of life, in virtual time and without a network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from hub.edge.limits import PING_EVERY_S, PONG_DEADLINE_S
from hub.edge.socket import WireSocket
from tests.virtual_time import settle, stand_still, virtual


class FakeTransport(asyncio.Transport):
    """Hands what the hub writes to a client's protocol, and its answers back, unless it is cut."""

    def __init__(self, client: ClientProtocol) -> None:
        super().__init__()
        self.client = client
        self.hub: WireSocket | None = None
        self.vanished = False

    def write(self, data: Any) -> None:
        if not self.vanished:
            self.client.receive_data(bytes(data))
            asyncio.get_running_loop().call_soon(self.answer)

    def answer(self) -> None:
        """Send what the client has to say."""
        for data in self.client.data_to_send():
            if data and self.hub is not None and not self.vanished:
                self.hub.data_received(data)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...
    def abort(self) -> None: ...


class Peer:
    """A connection that is open, seen from both sides. ``ended`` is how the hub ended it."""

    def __init__(self, wire: WireSocket, transport: FakeTransport) -> None:
        self.wire = wire
        self.transport = transport
        self.ended: tuple[int, str] | None = None


@asynccontextmanager
async def peer() -> AsyncIterator[Peer]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        wire.listen(lambda frame: None, lambda flowing: None)
        message = await receive()
        made.ended = (message["code"], message.get("reason") or "")

    config = uvicorn.Config(
        app,
        ws_ping_interval=PING_EVERY_S,
        ws_ping_timeout=PONG_DEADLINE_S,
        ws_per_message_deflate=False,
        log_config=None,
    )
    config.load()
    wire = WireSocket(config, ServerState(), {})
    transport = FakeTransport(ClientProtocol(parse_uri("ws://hub/robot")))
    transport.hub = wire
    made = Peer(wire, transport)
    wire.connection_made(transport)
    transport.client.send_request(transport.client.connect())
    transport.answer()
    await settle()
    yield made
    wire.connection_lost(None)
    await settle()


@virtual
async def test_a_peer_that_only_answers_pings_stays_for_ever() -> None:
    async with peer() as quiet:
        await asyncio.sleep(3_000)
        assert quiet.ended is None


@virtual
async def test_a_peer_that_vanishes_is_given_up_after_a_ping_and_its_deadline() -> None:
    async with peer() as gone:
        gone.transport.vanished = True
        await asyncio.sleep(PING_EVERY_S + PONG_DEADLINE_S - 0.1)
        assert gone.ended is None
        await asyncio.sleep(0.2)
        assert gone.ended == (4408, "half_open")


@virtual
async def test_a_hub_that_stood_still_gives_its_peers_the_time_to_answer() -> None:
    async with peer() as stalled:
        stalled.transport.vanished = True  # a stall of the hub is one of all its peers
        await asyncio.sleep(PING_EVERY_S + 0.1)
        stand_still(60.0)
        stalled.transport.vanished = False
        await asyncio.sleep(1_000)
        assert stalled.ended is None


@virtual
async def test_a_peer_that_vanished_while_the_hub_stood_still_is_given_up_all_the_same() -> None:
    async with peer() as gone:
        gone.transport.vanished = True
        await asyncio.sleep(PING_EVERY_S + 0.1)
        stand_still(60.0)
        await asyncio.sleep(PONG_DEADLINE_S + 0.1)
        assert gone.ended == (4408, "half_open")
