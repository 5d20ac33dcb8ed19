"""What language models behind HTTP have in common: their errors, coded, and their time limits."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import httpx

from agents.runtime.errors import BackendTimeout, BackendUnavailable

CONNECT_S = 3.0
IDLE_S = 5.0
"""Longest wait for the next piece of an answer that has begun."""
MAX_ERROR_CHARS = 300


def client(base_url: str, api_key: str = "") -> httpx.AsyncClient:
    """A client whose time limits, but for the connection's, are its user's: see ``in_time``."""
    return httpx.AsyncClient(
        base_url=base_url.rstrip("/") + "/",
        headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
        timeout=httpx.Timeout(None, connect=CONNECT_S),
    )


@asynccontextmanager
async def coded() -> AsyncIterator[None]:
    """Turns what the network raises into agent errors."""
    try:
        yield
    except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
        raise BackendTimeout("the server did not answer in time") from error
    except httpx.HTTPError as error:
        raise BackendUnavailable(f"the server cannot be reached: {error}") from error


async def in_time(
    pieces: AsyncGenerator[str, None], begin_by: float, deadline: float
) -> AsyncGenerator[str, None]:
    """``pieces``, the first by ``begin_by``, each other within ``IDLE_S``, all by ``deadline``,
    both in the loop's time.

    Raises:
        BackendTimeout, BackendUnavailable: as ``coded``.
    """
    loop = asyncio.get_running_loop()
    wait_until = begin_by
    async with aclosing(pieces):
        while True:
            async with coded(), asyncio.timeout_at(wait_until):
                piece = await anext(pieces, None)
            if piece is None:
                return
            wait_until = min(deadline, loop.time() + IDLE_S)
            yield piece


async def beginning(response: httpx.Response) -> str:
    """The first characters of an error's text, on one line."""
    async for text in response.aiter_text():
        return on_one_line(text)
    return ""


def on_one_line(text: str) -> str:
    """``text`` as it fits into an error."""
    return " ".join(text.split())[:MAX_ERROR_CHARS]
