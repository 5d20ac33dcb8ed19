"""The benchmarks' own WebSocket client against a real server on loopback."""

import select
import socket
import threading
from collections.abc import Iterator

import pytest
from websockets.http11 import Request
from websockets.server import ServerProtocol
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
        client = WebSocket(f"http://127.0.0.1:{server.socket.getsockname()[1]}", "/")
        yield client
        client.close()
        server.shutdown()
        serving.join()


def receive(client: WebSocket, count: int) -> list[Payload]:
    messages: list[Payload] = []
    while len(messages) < count and select.select([client], [], [], TIMEOUT_S)[0]:
        messages += client.receive()
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


def test_what_came_with_the_handshake_is_not_kept_for_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=answer_and_greet, args=(listener,))
        answering.start()
        client = WebSocket(f"http://127.0.0.1:{listener.getsockname()[1]}", "/")
        greeted = list(client.receive())
        client.close()
        answering.join()
    assert greeted == ["ready"]


def answer_and_greet(listener: socket.socket) -> None:
    """Accept one client by the protocol, with a first message in the same segment."""
    accepted, _ = listener.accept()
    with accepted:
        protocol = ServerProtocol()
        protocol.receive_data(accepted.recv(65_536))
        (request,) = protocol.events_received()
        assert isinstance(request, Request)
        protocol.send_response(protocol.accept(request))
        protocol.send_text(b"ready")
        accepted.sendall(b"".join(protocol.data_to_send()))
        accepted.recv(1)
