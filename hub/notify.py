"""Tells the service manager how the hub is: systemd's notification protocol, sd_notify(3).

A message is a datagram of ``NAME=value`` lines to the socket that ``NOTIFY_SOCKET`` names. Where
nobody listens nothing is sent, and nothing is watched.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hub.console import Say

if TYPE_CHECKING:
    from ssl import SSLContext

NAMES = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
"""What the service manager says to the main process alone."""
UNWATCHED_S = 5.0
"""How often the hub is looked after where no watchdog asks for it."""
STARTING_S = 0.25
"""How often it is asked until it answers for the first time."""
_BEATS = 3
"""How many beats a watchdog's time holds: two may be missed."""
_PATIENCE_S = 5.0


class Notifier:
    """One process's line to its service manager."""

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = watchdog_s
        """How long the watchdog waits for a beat; 0 if there is none."""

    @classmethod
    def of(cls, environment: Mapping[str, str], pid: int) -> "Notifier":
        """What ``environment`` tells the process ``pid``."""
        meant = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        usec = environment.get("WATCHDOG_USEC", "")
        watchdog_s = int(usec) / 1e6 if meant and usec.isdecimal() else 0.0
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog_s)

    @property
    def is_heard(self) -> bool:
        return bool(self._address)

    def tell(self, **said: str) -> None:
        """Send ``said``; a manager that does not take it now is not waited for."""
        if not self.is_heard:
            return
        message = "\n".join(f"{name}={value}" for name, value in said.items())
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            line.sendto(message.encode(), self._address)


NOBODY = Notifier()
"""No service manager listens."""


async def report(
    notifier: Notifier, answers: Callable[[], Awaitable[bool]], url: str, say: Say
) -> None:
    """Say that the hub is ready once it answers, and beat for as long as it does.

    ``answers`` asks it. Does not end by itself.
    """
    if not notifier.is_heard:
        return
    every_s = notifier.watchdog_s / _BEATS or UNWATCHED_S
    well = False
    while not await answers():  # noqa: ASYNC110 - it is another process
        await asyncio.sleep(min(every_s, STARTING_S))
    notifier.tell(READY="1")
    while True:
        was_well, well = well, await answers()
        if well:
            notifier.tell(WATCHDOG="1")
        if well != was_well:
            state = f"serving at {url}" if well else f"the hub does not answer at {url}"
            notifier.tell(STATUS=state)
            say("run", state)
        await asyncio.sleep(every_s)


async def is_alive(url: str) -> bool:
    """Whether the hub at ``url`` answers ``GET /livez`` in time. Its certificate is not looked at:
    nothing secret is sent."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection(
                parts.hostname, parts.port or (443 if secure else 80), ssl=_unverified(secure)
            )
            try:
                writer.write(
                    f"GET /livez HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
                )
                status = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False
    return status[1:2] == [b"200"]


def without_manager(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` for children, which are not who the service manager talks to."""
    return {name: value for name, value in environment.items() if name not in NAMES}


def _unverified(secure: bool) -> "SSLContext | None":
    if not secure:
        return None
    import ssl

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
