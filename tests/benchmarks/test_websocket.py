"""The benchmarks' own WebSocket client against a real server on loopback."""

import select
import threading
from collections.abc import Iterator

import pytest
from websockets.sync.server import ServerConnection, serve

from benchmarks.websocket import Closed, Payload, WebSocket

TIMEOUT_S = 5.0


def echo(connection: ServerConnection) -> None:
    for message in connection:
        if message == "go away":
            connection.close(4001, "replaced")
        else:
            connection.send(message)


@pytest.fixture
def client() -> Iterator[WebSocket]:
    with serve(echo, "127.0.0.1", 0, compression=None) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        socket = WebSocket(f"http://127.0.0.1:{server.socket.getsockname()[1]}", "/")
        yield socket
        socket.close()
        server.shutdown()
        serving.join()


def receive(socket: WebSocket, count: int) -> list[Payload]:
    messages: list[Payload] = []
    while len(messages) < count and select.select([socket], [], [], TIMEOUT_S)[0]:
        messages += socket.receive()
    return messages


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_a_message_of_any_length_comes_back_whole(client: WebSocket, size: int) -> None:
    message = bytes(range(256)) * (size // 256 + 1)

    client.send(message[:size])

    assert receive(client, 1) == [message[:size]]


def test_messages_keep_their_order_and_kind(client: WebSocket) -> None:
    messages: list[Payload] = ["größer", b"\x00\xff", "", b"", "x" * 300]

    for message in messages:
        client.send(message)

    assert receive(client, len(messages)) == messages


def test_the_server_s_reason_for_closing_is_told(client: WebSocket) -> None:
    client.send("go away")

    with pytest.raises(Closed, match="closed with 4001: replaced"):
        receive(client, 1)
