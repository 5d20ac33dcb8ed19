"""What callers ask of models, typed: each method is one job and gives its answer."""

import json
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from hub.errors import JobError
from hub.jobs.job import PRIMARY
from hub.jobs.orders import NOBODY, Blob, Caller, JobFact, JobOrder
from protocols.envelope import Message
from protocols.messages.agent import AgentKind
from protocols.messages.blob import BlobRef
from protocols.messages.chat import ChatDelta, ChatDone, ChatEntry, ChatRequest
from protocols.messages.image import ImageDone, ImageProgress, ImageRequest
from protocols.messages.memory import (
    DocumentAdd,
    DocumentRemove,
    DocumentsEmbed,
    DocumentsKept,
    DocumentsList,
    DocumentsListed,
    EmbedDone,
    EmbedRequest,
    MemoryConsent,
    MemoryForget,
    MemoryNote,
    MemoryRecall,
    MemoryState,
    RetrieveDone,
    RetrieveRequest,
)
from protocols.messages.transcribe import TranscribeDone, TranscribeRequest, TranscribeSegment
from protocols.messages.vision import DetectDone, DetectRequest, GroundDone, GroundRequest

TOKENS_PER_S = 40.0
STEP_S_PER_MEGAPIXEL = 0.25
USUAL_TOKENS = 512
HEARD_S_PER_S = 0.3
"""Estimates for what a job costs; only their proportions matter."""

AS_SET = ChatRequest(messages=())
"""A text is written as its engine is set."""
PLAINLY = TranscribeRequest(audio=BlobRef(index=0, size_bytes=0))
"""The text of a recording in the language that its engine finds, without times of words."""
SOUND_TYPE = "audio/L16;rate=16000"
SOUND_BYTES_PER_S = 32_000

M = TypeVar("M", bound=Message)


class Jobs(Protocol):
    """What runs them (``JobDesk``)."""

    def run(self, order: JobOrder) -> AsyncGenerator[JobFact, None]: ...


class Picture(NamedTuple):
    """An encoded picture."""

    data: bytes
    media_type: str = "image/png"


class Said(NamedTuple):
    """A message of a chat, and the pictures that came with it."""

    role: str
    text: str
    pictures: tuple[Picture, ...] = ()


class Made(NamedTuple):
    """Pictures that were made."""

    done: ImageDone
    pictures: tuple[bytes, ...]


class Vectors(NamedTuple):
    """Vectors of texts, one after the other as ``done`` says."""

    done: EmbedDone
    data: bytes

    def rows(self) -> list[list[float]]:
        """The vectors as numbers; a few at a time, or off the loop."""
        row = struct.Struct(f"<{self.done.dimensions}f")
        return [list(numbers) for numbers in row.iter_unpack(self.data)]


class _Blobs:
    """The bytes of a request, and the references that name them."""

    def __init__(self) -> None:
        self.data: list[Blob] = []

    def ref(self, data: Blob, media_type: str) -> BlobRef:
        self.data.append(data)
        return BlobRef(index=len(self.data) - 1, size_bytes=len(data), media_type=media_type)

    def picture(self, picture: Picture | None) -> BlobRef | None:
        return None if picture is None else self.ref(*picture)


class Inference:
    """All methods raise what ``JobDesk.run`` raises."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def chat(
        self,
        said: Sequence[Said],
        how: ChatRequest = AS_SET,
        *,
        model: str = "",
        caller: Caller = NOBODY,
        agent: AgentKind | None = None,
        agent_role: str = PRIMARY,
    ) -> AsyncGenerator[ChatDelta | ChatDone, None]:
        """The next message of a chat, as it is written: by ``agent``, else by the planner's model,
        or by vision's if there are pictures in it; of several agents, by that of ``agent_role``.
        ``how`` is the request without its messages; its text may take as long as its caller waits.
        Closing the generator stops the engine."""
        blobs = _Blobs()
        entries = tuple(
            ChatEntry(role=role, text=text, pictures=tuple(blobs.ref(*each) for each in pictures))
            for role, text, pictures in said
        )
        order = JobOrder(
            agent or (AgentKind.VISION if blobs.data else AgentKind.PLANNER),
            msgspec.structs.replace(
                how, messages=entries, timeout_s=how.timeout_s or caller.deadline_s or None
            ),
            caller,
            agent_role,
            model=model,
            cost=(how.max_tokens or USUAL_TOKENS) / TOKENS_PER_S,
            blobs=tuple(blobs.data),
        )
        async with aclosing(self._jobs.run(order)) as facts:
            async for fact in facts:
                if isinstance(fact.body, ChatDelta | ChatDone):
                    yield fact.body

    async def transcribe(
        self,
        pcm: Blob,
        how: TranscribeRequest = PLAINLY,
        *,
        model: str = "",
        caller: Caller = NOBODY,
    ) -> AsyncGenerator[TranscribeSegment | TranscribeDone, None]:
        """The text of a recording (16 kHz mono s16le, at most 10 minutes), stretch by stretch, and
        last the whole. ``how`` is the request without its sound. Closing the generator stops the
        engine."""
        blobs = _Blobs()
        order = JobOrder(
            AgentKind.STT,
            msgspec.structs.replace(how, audio=blobs.ref(pcm, SOUND_TYPE)),
            caller,
            model=model,
            cost=HEARD_S_PER_S * len(pcm) / SOUND_BYTES_PER_S,
            blobs=tuple(blobs.data),
        )
        async with aclosing(self._jobs.run(order)) as facts:
            async for fact in facts:
                if isinstance(fact.body, TranscribeSegment | TranscribeDone):
                    yield fact.body

    async def ground(self, picture: Picture, name: str = "", caller: Caller = NOBODY) -> GroundDone:
        """Where in a screenshot is what bears ``name``; everything that can be read, if empty."""
        blobs = _Blobs()
        request = GroundRequest(picture=blobs.ref(*picture), name=name)
        return await self._answer(AgentKind.VISION, request, GroundDone, caller, blobs)

    async def detect(
        self,
        picture: Picture,
        colours: tuple[str, ...] = (),
        hfov_deg: float = 62.0,
        caller: Caller = NOBODY,
    ) -> DetectDone:
        """The balls in a picture."""
        blobs = _Blobs()
        request = DetectRequest(picture=blobs.ref(*picture), colours=colours, hfov_deg=hfov_deg)
        return await self._answer(AgentKind.VISION, request, DetectDone, caller, blobs)

    async def image(
        self,
        request: ImageRequest,
        source: Picture | None = None,
        mask: Picture | None = None,
        *,
        model: str = "",
        caller: Caller = NOBODY,
    ) -> AsyncGenerator[ImageProgress | Made, None]:
        """How far pictures are, and last the pictures. Progress may begin anew."""
        blobs = _Blobs()
        request = msgspec.structs.replace(
            request, source=blobs.picture(source), mask=blobs.picture(mask)
        )
        megapixels = request.width * request.height / 1e6
        cost = STEP_S_PER_MEGAPIXEL * megapixels * request.steps * request.count
        order = JobOrder(
            AgentKind.IMAGE_GEN,
            request,
            caller,
            model=model,
            cost=cost,
            blobs=tuple(blobs.data),
        )
        async with aclosing(self._jobs.run(order)) as facts:
            async for fact in facts:
                if isinstance(fact.body, ImageProgress):
                    yield fact.body
                elif isinstance(fact.body, ImageDone):
                    yield Made(fact.body, fact.blobs)

    async def embed(
        self, texts: Sequence[str], model: str = "", caller: Caller = NOBODY
    ) -> Vectors:
        """A vector for every text."""
        blobs = _Blobs()
        texts_json = json.dumps(list(texts), ensure_ascii=False).encode()
        request = EmbedRequest(texts=blobs.ref(texts_json, "application/json"))
        order = JobOrder(AgentKind.MEMORY, request, caller, model=model, blobs=tuple(blobs.data))
        fact = await self._fact(order, EmbedDone)
        assert isinstance(fact.body, EmbedDone)
        return Vectors(fact.body, fact.blobs[0])

    async def add_document(
        self, base: str, name: str, content: bytes, caller: Caller = NOBODY
    ) -> DocumentsKept:
        """Keep a document (UTF-8) in a knowledge base, in place of one of the same name."""
        blobs = _Blobs()
        request = DocumentAdd(base=base, name=name, content=blobs.ref(content, "text/markdown"))
        return await self._answer(AgentKind.MEMORY, request, DocumentsKept, caller, blobs)

    async def remove_document(
        self, base: str, name: str = "", caller: Caller = NOBODY
    ) -> DocumentsKept:
        """Forget a document; without a name, the knowledge base."""
        request = DocumentRemove(base=base, name=name)
        return await self._answer(AgentKind.MEMORY, request, DocumentsKept, caller)

    async def embed_documents(self, base: str, caller: Caller = NOBODY) -> DocumentsKept:
        """Give every chunk of a knowledge base a vector of the model that serves now."""
        return await self._answer(
            AgentKind.MEMORY, DocumentsEmbed(base=base), DocumentsKept, caller
        )

    async def list_documents(
        self, base: str = "", after: str = "", limit: int = 200, caller: Caller = NOBODY
    ) -> DocumentsListed:
        """The documents of a knowledge base behind ``after``, by name; without a base, all bases."""
        request = DocumentsList(base=base, after=after, limit=limit)
        return await self._answer(AgentKind.MEMORY, request, DocumentsListed, caller)

    async def retrieve(
        self, base: str, query: str, limit: int = 5, caller: Caller = NOBODY
    ) -> RetrieveDone:
        """What the documents of a knowledge base say on ``query``."""
        request = RetrieveRequest(base=base, query=query, limit=limit)
        return await self._answer(AgentKind.MEMORY, request, RetrieveDone, caller)

    async def note(
        self, tags: Sequence[dict[str, str]], caller: Caller, source: str = ""
    ) -> MemoryState:
        """Let the caller's robot remember; done twice, it would remember more strongly."""
        request = MemoryNote(tags=tuple(tags), source=source)
        order = JobOrder(AgentKind.MEMORY, request, caller, repeatable=False)
        return await self._body(order, MemoryState)

    async def consent(self, granted: bool, caller: Caller) -> MemoryState:
        """Whether the caller's robot may remember."""
        request = MemoryConsent(granted=granted)
        return await self._answer(AgentKind.MEMORY, request, MemoryState, caller)

    async def forget(self, caller: Caller, tags: Sequence[str] = ()) -> MemoryState:
        """Let the caller's robot forget ``tags``; without any, everything."""
        request = MemoryForget(tags=tuple(tags))
        return await self._answer(AgentKind.MEMORY, request, MemoryState, caller)

    async def recall(self, caller: Caller, limit: int = 20) -> MemoryState:
        """What the caller's robot remembers."""
        request = MemoryRecall(limit=limit)
        return await self._answer(AgentKind.MEMORY, request, MemoryState, caller)

    async def _answer(
        self,
        agent: AgentKind,
        request: Message,
        answer: type[M],
        caller: Caller,
        blobs: _Blobs | None = None,
    ) -> M:
        data = tuple(blobs.data) if blobs is not None else ()
        return await self._body(JobOrder(agent, request, caller, blobs=data), answer)

    async def _body(self, order: JobOrder, answer: type[M]) -> M:
        body = (await self._fact(order, answer)).body
        assert isinstance(body, answer)
        return body

    async def _fact(self, order: JobOrder, answer: type[Message]) -> JobFact:
        """The one fact that a job answers with.

        Raises:
            JobError: it ended without (``no_answer``).
        """
        found: JobFact | None = None
        async with aclosing(self._jobs.run(order)) as facts:
            async for fact in facts:
                if isinstance(fact.body, answer):
                    found = fact
        if found is None:
            raise JobError(f"{order.agent.value} ended the job without an answer", "no_answer")
        return found
