"""The image agent on the bus: an order in, its progress and at the end its pictures out."""

import asyncio
from collections import Counter
from contextlib import aclosing

from agents.image_gen.backends.base import Made, Painter, Step
from agents.image_gen.limits import Limits, check, order_of
from agents.image_gen.sources import check_pictures
from agents.runtime.blobs import OFFER, OFFER_ENDS, OFFER_PARTS, PULL, PULL_ASKS, offer, pull
from agents.runtime.service import Emit, Inbox, Scope
from protocols.envelope import Message
from protocols.messages.blob import BlobRef
from protocols.messages.image import ImageDone, ImageProgress, ImageRequest
from protocols.messages.job import JobDone

Messages = frozenset[type[Message]]

MEDIA_TYPE = "image/png"


class Pictures:
    """Makes the pictures of one job. They are handed out once all are made, since only then the hub
    knows how large they are."""

    name = "pictures"
    scope = Scope.JOB
    opens: Messages = frozenset({ImageRequest})
    consumes: Messages = PULL | OFFER
    closes: Messages = OFFER_ENDS
    produces: Messages = PULL_ASKS | OFFER_PARTS | {ImageProgress, ImageDone, JobDone}

    def __init__(self, painter: Painter, limits: Limits) -> None:
        self._painter = painter
        self._limits = limits

    @property
    def counters(self) -> Counter[str]:
        """Of the painter; they go out with the agent's heartbeat."""
        return self._painter.counters

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Carry out one order.

        Raises:
            AgentError: the request cannot be fulfilled (``bad_size``, ``bad_image_request``,
                ``bad_picture``, ``too_large``), or the engine failed.
        """
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, ImageRequest)
        check(request, self._limits)
        source = await self._pulled(inbox, emit, request.source)
        mask = await self._pulled(inbox, emit, request.mask)
        await asyncio.to_thread(check_pictures, source, mask)
        order = order_of(request, source, mask)
        made: list[Made] = []
        async with aclosing(self._painter.paint(order)) as news:
            async for one in news:
                match one:
                    case Step(image, step, steps):
                        emit(ImageProgress(image=image, step=step, steps=steps))
                    case Made():
                        made.append(one)
        emit(
            ImageDone(
                images=tuple(_ref(index, one.png) for index, one in enumerate(made)),
                seeds=order.seeds,
                width=made[0].width,
                height=made[0].height,
                model=self._painter.model,
            )
        )
        await offer(inbox, emit, [one.png for one in made])
        emit(JobDone())

    async def _pulled(self, inbox: Inbox, emit: Emit, blob: BlobRef | None) -> bytes:
        if blob is None:
            return b""
        return await pull(inbox, emit, blob, self._limits.max_source_bytes)


def _ref(index: int, png: bytes) -> BlobRef:
    return BlobRef(index=index, size_bytes=len(png), media_type=MEDIA_TYPE)
