"""uvicorn's HTTP/1.1 connection with bounds on what comes before a body: its size and its time.

The parser itself has none: a header that never ends would be kept for ever, and so would a
connection that never says what it wants.
"""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.counters import Counters
from hub.edge.http_errors import family_of, refusal_of
from hub.edge.limits import MIB, HeadLimits
from hub.edge.rooted import rooted
from hub.errors import BadBody, BodyTooSlow, HeadTooLarge, UrlTooLong
from protocols.errors import HubError

UNWANTED_BYTES = 64 * MIB
"""So much of a body that was refused is thrown away, so that its sender can read why, and no longer
than a head may take; then the connection is cut."""


class _Refused(Exception):
    """Unwinds the parser."""


class BoundedHttp(HttpToolsProtocol):
    """One connection. ``limits``, ``counters`` and ``root`` are set on a subclass by ``bounded``."""

    limits = HeadLimits()
    counters = Counters()
    root = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refusal: HubError = BadBody("this is no HTTP/1.1 request")
        self._deadline: asyncio.TimerHandle | None = None
        self._discarding: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_message = False
        self._unwanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_discarding()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._in_message:
            self._await_head()
        super().data_received(data)
        if self._deadline is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > self.limits.url_bytes + self.limits.bytes:
            self._refuse(HeadTooLarge(f"headers may have {self.limits.bytes} bytes"))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = True
        self._await_head()

    def on_message_complete(self) -> None:
        self._in_message = False
        self._stop_discarding()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_message and not self.transport.is_closing():
            wait_s = self.limits.timeout_s
            self._discarding = self.loop.call_later(wait_s, self.transport.abort)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        if (error := self._fault_of_head()) is not None:
            self._refusal = error
            raise _Refused
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self.cycle is not None and self.cycle.response_complete:
            self._unwanted += len(body)
            if self._unwanted > UNWANTED_BYTES:
                self.transport.abort()
        super().on_body(body)

    def handle_websocket_upgrade(self) -> None:
        self._stop_waiting()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn when its parser gave up; ours may have let it."""
        self._refuse(self._refusal)

    def _await_head(self) -> None:
        if self._deadline is None:
            self._head_bytes = 0
            self._deadline = self.loop.call_later(self.limits.timeout_s, self._on_deadline)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_discarding(self) -> None:
        if self._discarding is not None:
            self._discarding.cancel()
            self._discarding = None

    def _on_deadline(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self._refuse(BodyTooSlow(f"no whole request came in {self.limits.timeout_s:g} s"))

    def _fault_of_head(self) -> HubError | None:
        if len(self.url) > self.limits.url_bytes:
            return UrlTooLong(f"an address may have {self.limits.url_bytes} bytes")
        if len(self.headers) > self.limits.headers:
            return HeadTooLarge(f"a request may have {self.limits.headers} headers")
        if sum(len(name) + len(value) + 4 for name, value in self.headers) > self.limits.bytes:
            return HeadTooLarge(f"headers may have {self.limits.bytes} bytes")
        return None

    def _refuse(self, error: HubError) -> None:
        """Answer and hang up. Nothing of the request has reached the application."""
        self._stop_waiting()
        self.counters.count(f"requests_refused.{error.code}")
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()  # an earlier request is being answered on this connection
            return
        path = getattr(self, "url", b"").split(b"?")[0].decode("ascii", "replace")
        refusal = refusal_of(error)
        shape = family_of(rooted(path, self.root)).shape
        body = json.dumps(shape(refusal)).encode()
        head = (
            f"HTTP/1.1 {refusal.status} {refusal.code}\r\n"
            "content-type: application/json\r\nconnection: close\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def bounded(limits: HeadLimits, counters: Counters, root: str = "") -> type[BoundedHttp]:
    """The protocol with these limits, at a port that opens onto the base path ``root``; what it
    refuses is counted in ``counters``."""
    return type(
        "BoundedHttp", (BoundedHttp,), {"limits": limits, "counters": counters, "root": root}
    )
