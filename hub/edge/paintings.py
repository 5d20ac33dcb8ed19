"""Pictures that a job makes, for whoever wants no more of it than those."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from hub.errors import JobError
from hub.jobs.inference import Made
from protocols.messages.image import ImageProgress

Painting = AsyncGenerator[ImageProgress | Made, None]


async def painted(painting: Painting) -> Made:
    """What ``painting`` makes.

    Raises:
        JobError: the job failed, or ended without a picture.
    """
    async with aclosing(painting):
        async for told in painting:
            if isinstance(told, Made) and told.pictures:
                return told
    raise JobError("the image agent ended the job without a picture", "no_answer")
