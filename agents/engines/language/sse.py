"""Server-sent events out of a byte stream that may be cut anywhere (HTML standard, 9.2.6)."""

from collections.abc import AsyncGenerator

import httpx

from agents.runtime.errors import AgentError

MAX_EVENT_BYTES = 256 * 1024
"""A longer event is no answer of a chat server."""


class EventReader:
    """Bytes in, the ``data`` of complete events out. Other fields are not used by chat servers."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that ``piece`` completes.

        Raises:
            ValueError: an event is longer than ``MAX_EVENT_BYTES``.
        """
        events: list[bytes] = []
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            line = line.rstrip(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data = []
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise ValueError(f"event of more than {MAX_EVENT_BYTES} bytes")
        return events


async def events_of(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The data of each event of a response.

    Raises:
        AgentError: ``llm_error``; an event is too long.
    """
    reader = EventReader()
    async for received in response.aiter_bytes():
        try:
            completed = reader.feed(received)
        except ValueError as error:
            raise AgentError(str(error), code="llm_error") from error
        for data in completed:
            yield data
