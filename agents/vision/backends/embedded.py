"""Eyes without a model: says what can be measured in a picture, and that it is no more than that."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import TypeVar

import structlog

from agents.engines.language.base import Ending, Prompt, refuse_guide
from agents.runtime.errors import AgentError
from agents.vision.backends.base import BallFinder, Reader
from agents.vision.describing import NO_PICTURE, described

HFOV_DEG = 62.0
NO_MODEL = "no_vision_model"
BAD_PICTURE = "bad_picture"

log = structlog.get_logger(__name__)

T = TypeVar("T")


class EmbeddedModel:
    """Describes the last picture of a chat by its balls, its writing and its light."""

    name = "embedded"
    capacity = 4
    model = ""
    where = "this process"

    def __init__(self, reader: Reader, finder: BallFinder) -> None:
        self._reader = reader
        self._finder = finder

    async def start(self) -> None:
        """Nothing to load: reader and finder are others'."""

    async def close(self) -> None:
        """Nothing to free."""

    async def write(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """See ``LanguageModel``.

        Raises:
            AgentError: ``no_vision_model``; a schema is to be obeyed, which takes understanding.
                ``bad_picture``; it cannot be decoded.
        """
        refuse_guide(prompt, "vision without a model")
        if prompt.schema is not None:
            raise AgentError("there is no vision model that could answer by a schema", NO_MODEL)
        shown = [picture for message in prompt.messages for picture in message.pictures]
        if not shown:
            yield NO_PICTURE
        else:
            newest = shown[-1].data
            async with asyncio.TaskGroup() as tasks:
                scene = tasks.create_task(_measured(self._finder.find(newest, (), HFOV_DEG)))
                page = tasks.create_task(_measured(self._reader.read(newest)))
            for measured in (scene.result(), page.result()):
                if isinstance(measured, AgentError) and measured.code == BAD_PICTURE:
                    raise measured
            yield described(_or_none(scene.result()), _or_none(page.result()))
        prompt.ended(Ending())


async def _measured(measuring: Awaitable[T]) -> T | AgentError:
    try:
        return await measuring
    except AgentError as error:
        log.info("not_measured", code=error.code, reason=str(error))
        return error


def _or_none(measured: T | AgentError) -> T | None:
    return None if isinstance(measured, AgentError) else measured
