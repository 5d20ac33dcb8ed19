"""A language model that is shown a picture before it is trusted with any."""

import struct
import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import structlog

from agents.engines.language.base import ChatMessage, LanguageModel, Picture, Prompt
from agents.runtime.errors import AgentError, BackendBusy, BackendUnavailable
from agents.runtime.progress import progress

SIDE = 64
_QUESTION = "What colour is this? One word."

log = structlog.get_logger(__name__)


class SeeingModel:
    """``model``, whose start includes a self-test: servers of text refuse the picture."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self.name, self.capacity = model.name, model.capacity

    @property
    def model(self) -> str:
        """See ``LanguageModel``."""
        return self._model.model

    @property
    def where(self) -> str:
        """See ``LanguageModel``."""
        return self._model.where

    async def start(self) -> None:
        """Load the model and let it begin to say what a picture shows.

        Raises:
            BackendUnavailable: it cannot be loaded, or takes no picture.
        """
        await self._model.start()
        progress(f"showing {self.model or self.name} a picture")
        asked = ChatMessage("user", _QUESTION, (red_square(),))
        try:
            async with aclosing(self._model.write(Prompt([asked], max_tokens=8))) as pieces:
                await anext(pieces, "")
        except BackendBusy:
            log.info("selftest_skipped", reason="the model is busy")
        except AgentError as error:
            raise BackendUnavailable(f"{self.where}: {error}", error.code) from error
        log.info("model_ready", backend=self.name, model=self.model)

    async def close(self) -> None:
        """Free the model."""
        await self._model.close()

    def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``."""
        return self._model.write(prompt)

    def facts(self) -> dict[str, str]:
        """What the model tells of itself."""
        return facts_of(self._model)


def facts_of(model: Any) -> dict[str, str]:
    """What an engine tells of itself, if it tells anything."""
    facts: dict[str, str] = model.facts() if hasattr(model, "facts") else {}
    return facts


def red_square() -> Picture:
    """A red square, as a PNG that needs no library to be made."""
    row = b"\0" + b"\xd0\x10\x10" * SIDE
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(row * SIDE)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return Picture("image/png", b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
