"""Services of jobs that do what a test tells them, over the real runtime."""

import asyncio
import hashlib
from collections.abc import Callable

from agents.runtime.blobs import OFFER, OFFER_ENDS, OFFER_PARTS, PULL, PULL_ASKS, offer, pull
from agents.runtime.errors import AgentError
from agents.runtime.latch import Latch
from agents.runtime.service import Emit, Inbox, Scope
from protocols.envelope import Message
from protocols.messages.blob import BlobRef
from protocols.messages.chat import ChatDelta, ChatDone, ChatRequest
from protocols.messages.image import ImageDone, ImageProgress, ImageRequest
from protocols.messages.job import JobDone
from protocols.messages.model import ModelLoad

LIMIT = 10_000_000


class Chatty:
    """Goes on with a chat by ``words``, one each ``word_s``; says of every picture how many bytes
    it has and their hash. ``fails`` after the first word, ``stalls`` before it."""

    name = "chatty"
    scope = Scope.JOB
    opens: frozenset[type[Message]] = frozenset({ChatRequest})
    consumes = PULL
    closes: frozenset[type[Message]] = frozenset()
    produces: frozenset[type[Message]] = PULL_ASKS | {ChatDelta, ChatDone, JobDone}

    def __init__(
        self, words: str = "well then", word_s: float = 0.1, *, fails: bool = False
    ) -> None:
        self.words = words
        self.word_s = word_s
        self.fails = fails
        self.stalls = False
        self.begun: list[str] = []
        self.cancelled = 0
        self._news = asyncio.Event()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until ``holds()``, looked at whenever a job begins or is cancelled."""
        while not holds():
            self._news.clear()
            await self._news.wait()

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, ChatRequest)
        self.begun.append(request.messages[-1].text)
        self._news.set()
        try:
            await self._answer(request, inbox, emit)
        except asyncio.CancelledError:
            self.cancelled += 1
            self._news.set()
            raise

    async def _answer(self, request: ChatRequest, inbox: Inbox, emit: Emit) -> None:
        if self.stalls:
            await asyncio.Event().wait()
        for entry in request.messages:
            for picture in entry.pictures:
                data = await pull(inbox, emit, picture, LIMIT)
                emit(ChatDelta(text=f"{len(data)} {hashlib.sha256(data).hexdigest()} "))
        for word in self.words.split():
            await asyncio.sleep(self.word_s)
            emit(ChatDelta(text=f"{word} "))
            if self.fails:
                raise AgentError("the engine broke", "backend_broken")
        emit(ChatDone(model="chatty"))
        emit(JobDone())


class Painter:
    """Makes a picture of ``size_bytes`` in steps of ``step_s``, holding between them."""

    name = "painter"
    scope = Scope.JOB
    opens: frozenset[type[Message]] = frozenset({ImageRequest})
    consumes = OFFER
    closes = OFFER_ENDS
    produces: frozenset[type[Message]] = OFFER_PARTS | {ImageProgress, ImageDone, JobDone}

    def __init__(self, size_bytes: int = 600_000, step_s: float = 1.0) -> None:
        self.size_bytes = size_bytes
        self.step_s = step_s
        self.latch = Latch()
        self.begun = 0
        self.lies = 0
        """So many bytes it announces that it has not."""

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, ImageRequest)
        self.begun += 1
        for step in range(1, request.steps + 1):
            await self.latch.wait()
            await asyncio.sleep(self.step_s)
            emit(ImageProgress(image=0, step=step, steps=request.steps))
        made = [picture(self.size_bytes, request.seed + n) for n in range(request.count)]
        refs = tuple(
            BlobRef(index=n, size_bytes=len(data) + self.lies, media_type="image/png")
            for n, data in enumerate(made)
        )
        seeds = tuple(range(request.seed, request.seed + request.count))
        emit(ImageDone(images=refs, seeds=seeds, width=8, height=8))
        await offer(inbox, emit, made)
        emit(JobDone())


class Loads:
    """Loads a model in ``load_s``; one that is called ``broken`` cannot be."""

    name = "loads"
    scope = Scope.JOB
    opens: frozenset[type[Message]] = frozenset({ModelLoad})
    consumes: frozenset[type[Message]] = frozenset()
    closes: frozenset[type[Message]] = frozenset()
    produces: frozenset[type[Message]] = frozenset({JobDone})

    def __init__(self, load_s: float = 5.0) -> None:
        self.load_s = load_s
        self.asked: list[str] = []

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, ModelLoad)
        self.asked.append(request.model)
        await asyncio.sleep(self.load_s)
        if request.model == "broken":
            raise AgentError("it has no weights", "backend_unavailable")
        emit(JobDone())


def picture(size_bytes: int, seed: int) -> bytes:
    """Bytes that differ by their seed."""
    return hashlib.shake_256(str(seed).encode()).digest(size_bytes)
