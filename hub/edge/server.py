"""The listening socket and the HTTP server on it, as a coroutine of the hub's loop."""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import structlog
import uvicorn
from starlette.types import ASGIApp

from hub.counters import Counters
from hub.edge.http_protocol import BoundedHttp, bounded
from hub.edge.limits import PING_EVERY_S, PONG_DEADLINE_S, HeadLimits
from hub.edge.rooted import Rooted
from hub.edge.socket import MAX_FRAME_BYTES, WireSocket
from hub.errors import BadTls, CannotBind, PortInUse

BACKLOG = 1024
GRACE_S = 5
"""How long requests may finish after the server was told to stop."""
_LOOK_S = 0.005
_DATE_S = 1.0

log = structlog.get_logger()


class Tls(NamedTuple):
    """PEM files of the certificate chain and its key."""

    cert: Path
    key: Path


class Keepalive(NamedTuple):
    """How often a WebSocket is pinged, and how long its pong may take; seconds."""

    every_s: float = PING_EVERY_S
    deadline_s: float = PONG_DEADLINE_S


KEEPALIVE = Keepalive()
HEAD_LIMITS = HeadLimits()


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on ``host:port``; port 0 takes any.

    Raises:
        PortInUse: another program listens there.
        CannotBind: the address is not this machine's, or the port needs a privilege.
    """
    try:
        ((family, kind, protocol, _, address), *_) = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        raise CannotBind(f"{host} is no address of this machine: {error.strerror}") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(f"port {port} of {host} is in use by another program") from error
        raise CannotBind(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    stop: asyncio.Event,
    ready: Callable[[], None] | None = None,
    tls: Tls | None = None,
    keepalive: Keepalive = KEEPALIVE,
    counters: Counters | None = None,
    head: HeadLimits = HEAD_LIMITS,
    root: str = "",
) -> None:
    """Serve ``app`` on ``listener`` until ``stop`` is set, then let requests finish.
    What is asked for is looked for under ``root``, the base path of a family.

    ``ready`` is called once connections are accepted. Signals are left alone. What ``head``
    forbids is refused before ``app`` hears of it, and counted in ``counters``.

    Raises:
        BadTls: certificate or key cannot be used.
    """
    with listener:
        http = bounded(head, counters if counters is not None else Counters(), root)
        server = _Server(_config(Rooted(app, root), tls, keepalive, http), stop, ready)
        await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which are the hub's business, and without its looking
    every tenth of a second: it ends as soon as it is told to and the last request is over."""

    def __init__(
        self, config: uvicorn.Config, stop: asyncio.Event, ready: Callable[[], None] | None
    ) -> None:
        super().__init__(config)
        self._stop = stop
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ready is not None:
            self._ready()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # which renews the date that answers bear
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DATE_S):
                    await self._stop.wait()
                    self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        here = self.server_state
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(here.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                while here.connections or here.tasks:  # noqa: ASYNC110 - they tell nobody
                    await asyncio.sleep(_LOOK_S)
        if here.tasks:
            log.warning("requests cut", number=len(here.tasks))
        for task in here.tasks:
            task.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(
    app: ASGIApp, tls: Tls | None, keepalive: Keepalive, http: type[BoundedHttp]
) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        loop="none",
        http=http,
        ws=WireSocket,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=keepalive.every_s,
        ws_ping_timeout=keepalive.deadline_s,
        lifespan="off",
        log_config=None,
        # Lines of uvicorn below a warning hold whole URLs, and those may hold a token.
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=tls.cert if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise BadTls(f"the TLS certificate or key cannot be used: {error}") from error
    return config
