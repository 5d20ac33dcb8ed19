"""What language models behind HTTP have in common: their errors, coded, and their time limits."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import NamedTuple

import httpx

from agents.engines.language.base import Prompt
from agents.runtime.errors import AgentError, BackendTimeout, BackendUnavailable

CONNECT_S = 3.0
IDLE_S = 5.0
"""Longest wait for the next piece of an answer that has begun."""
MAX_ERROR_CHARS = 300

Refusal = Callable[[int, str], AgentError]
"""The error that a status code and the beginning of its text stand for."""


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


class Patience(NamedTuple):
    """By when a text has to begin, and by when it has to be complete, in the loop's time."""

    begin_by: float
    deadline: float

    @classmethod
    def of(cls, prompt: Prompt, whole_s: float, first_piece_s: float) -> "Patience":
        """From now on; a prompt that says how long its text may take is patient with its first
        piece, too."""
        now_s = asyncio.get_running_loop().time()
        deadline = now_s + (prompt.timeout_s or whole_s)
        return cls(min(deadline, now_s + (prompt.timeout_s or first_piece_s)), deadline)


async def in_time(
    pieces: AsyncGenerator[str, None], patience: Patience
) -> AsyncGenerator[str, None]:
    """``pieces``, with no longer wait than ``patience`` has for the first and for the last, and
    ``IDLE_S`` for any other.

    Raises:
        BackendTimeout, BackendUnavailable: as ``coded``.
    """
    loop = asyncio.get_running_loop()
    wait_until = patience.begin_by
    async with aclosing(pieces):
        while True:
            async with coded(), asyncio.timeout_at(wait_until):
                piece = await anext(pieces, None)
            if piece is None:
                return
            wait_until = min(patience.deadline, loop.time() + IDLE_S)
            yield piece


def first_listed(response: httpx.Response, refusal: Refusal) -> str:
    """The first model of a server's list.

    Raises:
        AgentError: the server refuses, or there is none (``llm_error``).
    """
    if not response.is_success:
        raise refusal(response.status_code, response.text)
    try:
        return str(response.json()["data"][0]["id"])
    except (ValueError, LookupError, TypeError) as error:
        raise AgentError("its list of models is not readable", code="llm_error") from error


async def beginning(response: httpx.Response) -> str:
    """The first characters of an error's text, on one line."""
    async for text in response.aiter_text():
        return on_one_line(text)
    return ""


def on_one_line(text: str) -> str:
    """``text`` as it fits into an error."""
    return " ".join(text.split())[:MAX_ERROR_CHARS]
