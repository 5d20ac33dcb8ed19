"""uvicorn's WebSocket, opened up for frames that are sent and received without a task switch.

ASGI hands every message through a queue and a task, and its ``send`` waits without a deadline on
a peer that does not read. At fifty frames a second and robot that is most of the work, so after
the handshake the connection is used directly, as a ``Wire``. Connecting and disconnecting stay
ASGI's.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any, cast

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from hub.edge.framing import BINARY, UNREAD, FrameSplitter
from hub.edge.outbox import Frame
from hub.edge.wire import CLOSE_ABNORMAL, CLOSE_HALF_OPEN, CLOSE_SLOW_CONSUMER, FORGIVEN_S, Wire

MAX_FRAME_BYTES = 2 * 1024 * 1024
"""Above this a frame is refused unread (1009): half a minute of base64 audio fits."""

_WIRE = "robot_hub.wire"
_HIGH_WATER_BYTES = 16 * 1024
_SEND_BUFFER_BYTES = 64 * 1024
_UNSENT_BYTES = 16 * 1024
_UNACKNOWLEDGED_MS = 10_000
_ABORT_AFTER_CLOSE_S = 2.0
CLOSE_BAD_TEXT = 1007

_SOCKET_OPTIONS = (
    (socket.SOL_SOCKET, "SO_SNDBUF", _SEND_BUFFER_BYTES),
    (socket.IPPROTO_TCP, "TCP_NODELAY", 1),
    (socket.IPPROTO_TCP, "TCP_NOTSENT_LOWAT", _UNSENT_BYTES),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", _UNACKNOWLEDGED_MS),
)
"""They keep a cancel from queueing behind audio in the kernel, and end a peer that is gone."""


class WireSocket(WebSocketsSansIOProtocol):
    """One connection: uvicorn's protocol, and a ``Wire`` once ``listen`` was called."""

    _on_frame: Callable[[Frame], None] | None = None
    _on_flow: Callable[[bool], None] | None = None

    flowing = True
    _unflushed = False
    _heard = False
    _splitter: FrameSplitter | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        _tune(transport.get_extra_info("socket"))

    def connection_lost(self, exc: Exception | None) -> None:
        # uvicorn calls it 1005, which is what a peer that says goodbye without a code is called.
        # Only the first message about the end counts, so a close frame that came before does.
        self.queue.put_nowait({"type": "websocket.disconnect", "code": CLOSE_ABNORMAL})
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Messages that come in one frame are taken here; what is behind ``super`` reads the rest
        of the protocol, and costs several times as much for each."""
        if self._splitter is None:
            super().data_received(data)  # the handshake; frames come with a later call
            self._splitter = FrameSplitter(MAX_FRAME_BYTES)
            return
        for kind, content in self._splitter.feed(data):
            if kind == UNREAD:
                super().data_received(content)
                continue
            if kind == BINARY and self._on_frame is not None:
                self._heard = True
                if not self.close_sent:
                    self._on_frame(content)
                continue
            self.curr_msg_data_type = "bytes" if kind == BINARY else "text"
            self.frames = [content]
            self.send_receive_event_to_app()

    async def run_asgi(self) -> None:
        cast(dict[str, Any], self.scope)["state"][_WIRE] = self
        await super().run_asgi()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._set_flowing(False)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._set_flowing(True)

    def _set_flowing(self, flowing: bool) -> None:
        self.flowing = flowing
        if self._on_flow is not None:
            self._on_flow(flowing)

    def write(self, frame: Frame) -> None:
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        if isinstance(frame, str):
            self.conn.send_text(frame.encode())
        else:
            self.conn.send_binary(frame)
        if not self._unflushed:
            self._unflushed = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """What one step of the loop has written leaves in one system call, which costs more than
        all the frames in it."""
        self._unflushed = False
        if not self.transport.is_closing():
            self.transport.write(b"".join(self.conn.data_to_send()))

    def close(self, code: int, reason: str) -> None:
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._resume_reading()
        self.close_timer = self.loop.call_later(_ABORT_AFTER_CLOSE_S, self.transport.abort)

    def listen(self, on_frame: Callable[[Frame], None], on_flow: Callable[[bool], None]) -> None:
        self._on_frame, self._on_flow = on_frame, on_flow
        others = []
        while not self.queue.empty():
            event = self.queue.get_nowait()
            if event["type"] == "websocket.receive":
                text = event.get("text")
                on_frame(text if text is not None else event["bytes"] or b"")
            else:
                others.append(event)
        for event in others:
            self.queue.put_nowait(event)
        self._resume_reading()
        if not self.flowing:
            on_flow(False)

    def send_keepalive_ping(self) -> None:
        self._heard = False
        super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        """No pong: the peer has vanished without a word, or it sends and does not read."""
        self.pong_timer = self.pending_ping_payload = None
        assert self.ping_timeout is not None
        if self.loop.time() - self.ping_sent_at - self.ping_timeout > FORGIVEN_S:
            self.send_keepalive_ping()
        elif self._heard:
            self.close(CLOSE_SLOW_CONSUMER, "no_pong")
        else:
            self.close(CLOSE_HALF_OPEN, "half_open")

    def send_receive_event_to_app(self) -> None:
        self._heard = True
        if self._on_frame is None:
            super().send_receive_event_to_app()
            return
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return
        if self.curr_msg_data_type == "bytes":
            self._on_frame(bytes(data))
            return
        try:
            text = bytes(data).decode()
        except UnicodeDecodeError:
            self.close(CLOSE_BAD_TEXT, "text is not UTF-8")
            return
        self._on_frame(text)

    def _resume_reading(self) -> None:
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()


def wire_of(websocket: WebSocket) -> Wire:
    """The connection behind an accepted ``websocket``; what serves it must have left it there."""
    wire: Wire = websocket.scope["state"][_WIRE]
    return wire


def _tune(transport_socket: Any) -> None:
    if transport_socket is None:
        return
    # uvloop shows a socket without setsockopt; a duplicate descriptor names the same socket.
    with socket.fromfd(
        transport_socket.fileno(), transport_socket.family, socket.SOCK_STREAM
    ) as real:
        for level, name, value in _SOCKET_OPTIONS:
            with contextlib.suppress(OSError, AttributeError):
                real.setsockopt(level, getattr(socket, name), value)
