"""Wespoke's HTTP routes: ``/ai`` and all below it but knowledge (``knowledge.py``)."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.disconnect import ClientGone, while_connected
from hub.edge.documented import Responses, refusals
from hub.edge.grants import grant_of
from hub.edge.json_body import LargeBodyRoute
from hub.edge.services import EdgeServices
from hub.edge.wespoke import about
from hub.edge.wespoke.bodies import (
    ChatAnswer,
    ChatBody,
    ErrorBody,
    GenerateAnswer,
    GenerateBody,
    GpuUsage,
    ProcessAudioAnswer,
    ProcessAudioBody,
    RagAnswer,
    RagBody,
    Source,
    ToolCall,
    TranscribeAnswer,
    TranscribeBody,
)
from hub.edge.wespoke.failures import (
    CHAT,
    GENERATION,
    PROCESSING,
    RAG,
    TRANSCRIPTION,
    failed_as,
)
from hub.edge.wespoke.sound import read_recording
from hub.edge.wespoke.thinking import DEADLINE_S, Thinking, Thought, now_s
from hub.errors import JobError
from hub.jobs.orders import Caller

A = TypeVar("A")

NOT_UNDERSTOOD = "I didn't catch that. Could you please repeat?"
"""What an empty transcription is answered with, without asking any model."""

BAD_REQUEST = "The request is not valid; details.errors says what is wrong with which field."


def wespoke_router(services: EdgeServices) -> APIRouter:
    """The routes that stand at bare paths as well."""
    router = APIRouter(tags=["wespoke"], route_class=LargeBodyRoute)
    _add_watching(router, services)
    _add_sound(router, services, thinking := Thinking(services))
    _add_text(router, thinking)
    return router


def wespoke_own_router(services: EdgeServices) -> APIRouter:
    """The route whose bare path is another's."""
    router = APIRouter(tags=["wespoke"])

    @router.get("/", responses=refusals(ErrorBody))
    async def root() -> about.RootAnswer:
        """What this is."""
        return about.RootAnswer(service=about.NAME, version=about.VERSION)

    return router


def _add_watching(router: APIRouter, services: EdgeServices) -> None:
    begun_ns = services.clock_ns()
    refused = refusals(ErrorBody)

    def uptime_s() -> float:
        return round((services.clock_ns() - begun_ns) / 1e9, 3)

    @router.get("/ai", responses=refused)
    async def index() -> about.IndexAnswer:
        """Which services and endpoints there are."""
        return about.IndexAnswer(
            services=list(about.SERVICES), endpoints=list(about.ENDPOINTS), uptime=uptime_s()
        )

    @router.get("/ai/health", responses=refused)
    async def health() -> about.HealthAnswer:
        """How the services are; always 200."""
        return about.health_of(services.health(), uptime_s())

    @router.get("/ai/health/gpu", responses=refused)
    async def gpu() -> about.GpuAnswer | about.NoGpuAnswer:
        """The GPU, or that there is none; always 200."""
        return about.gpu_answer(services.health())

    @router.get("/ai/health/services", responses=refused)
    async def each() -> about.ServicesAnswer:
        """Each service."""
        return about.services_of(services.health())


def _add_sound(router: APIRouter, services: EdgeServices, thinking: Thinking) -> None:
    refused = _refused()

    @router.post("/ai/transcribe", response_model=TranscribeAnswer, responses=refused)
    async def transcribe(body: TranscribeBody, request: Request) -> TranscribeAnswer | Response:
        """The text of a recording."""
        begun_s, caller = now_s(), _caller(request)

        async def work() -> TranscribeAnswer:
            pcm = await read_recording(body.audio, body.format, services.recordings)
            done = (await thinking.hear(pcm, caller)).done
            return TranscribeAnswer(
                text=done.text,
                language=done.language,
                confidence=done.confidence if done.confidence >= 0 else None,
                processing_time=now_s() - begun_s,
            )

        return await _told(request, TRANSCRIPTION, work())

    @router.post("/ai/process-audio", response_model=ProcessAudioAnswer, responses=refused)
    async def process_audio(
        body: ProcessAudioBody, request: Request
    ) -> ProcessAudioAnswer | Response:
        """The answer to what is said in a recording."""
        begun_s, caller = now_s(), _caller(request)

        async def work() -> ProcessAudioAnswer:
            pcm = await read_recording(body.audio, body.format, services.recordings)
            heard = await thinking.hear(pcm, caller)
            said = heard.done.text.strip()
            if not said:
                return ProcessAudioAnswer(
                    text=NOT_UNDERSTOOD, userText="", processing_time=now_s() - begun_s
                )
            thought = await thinking.reply(said, body.config, caller, keeps=False)
            return ProcessAudioAnswer(
                text=thought.answer.text,
                userText=said,
                tools=_calls(thought),
                processing_time=now_s() - begun_s,
                gpu_usage=GpuUsage(whisper_time=heard.seconds, ollama_time=thought.seconds),
            )

        return await _told(request, PROCESSING, work())


def _add_text(router: APIRouter, thinking: Thinking) -> None:
    refused = _refused()

    @router.post("/ai/generate", response_model=GenerateAnswer, responses=refused)
    async def generate(
        body: GenerateBody, request: Request, response: Response
    ) -> GenerateAnswer | Response:
        """The answer to a text."""

        async def work() -> GenerateAnswer:
            thought = await thinking.generate(body, _caller(request))
            _tell_cache(response, thought)
            return GenerateAnswer(
                text=thought.answer.text, tools=_calls(thought), processing_time=thought.seconds
            )

        return await _told(request, GENERATION, work())

    @router.post(
        "/ai/chat",
        response_model=ChatAnswer,
        response_model_exclude_unset=True,
        responses=refused,
    )
    async def chat(body: ChatBody, request: Request, response: Response) -> ChatAnswer | Response:
        """The next message of a conversation, which its client keeps."""

        async def work() -> ChatAnswer:
            thought = await thinking.chat(body, _caller(request))
            _tell_cache(response, thought)
            answer = ChatAnswer(
                text=thought.answer.text, conversation_id=None, processing_time=thought.seconds
            )
            return _with_calls(answer, thought) if body.config.tools else answer

        return await _told(request, CHAT, work())

    @router.post(
        "/ai/rag",
        response_model=RagAnswer,
        response_model_exclude_unset=True,
        responses=refused,
    )
    async def rag(body: RagBody, request: Request, response: Response) -> RagAnswer | Response:
        """The answer to a question from the documents of a knowledge base, and where it stands."""

        async def work() -> RagAnswer:
            thought = await thinking.look_up(body, _caller(request))
            _tell_cache(response, thought)
            answer = RagAnswer(
                text=thought.answer.text,
                sources=_sources(thought),
                processing_time=thought.seconds,
            )
            return _with_calls(answer, thought) if body.config.tools else answer

        return await _told(request, RAG, work())


def _refused() -> Responses:
    told = refusals(ErrorBody, job=True, s400=BAD_REQUEST)
    return {**told, 499: {"description": "The client went away."}}


def _caller(request: Request) -> Caller:
    return Caller(grant_of(request).id, deadline_s=DEADLINE_S)


async def _told(request: Request, step: str, work: Coroutine[Any, Any, A]) -> A | Response:
    """What ``work`` answers; it ends with its client, down to the engine."""
    try:
        return await while_connected(request, work)
    except JobError as error:
        return failed_as(step, error)
    except ClientGone:
        return Response(status_code=499)


def _tell_cache(response: Response, thought: Thought) -> None:
    if thought.hit is not None:
        response.headers["X-Cache"] = "HIT" if thought.hit else "MISS"


def _with_calls(answer: A, thought: Thought) -> A:
    answer.tools = _calls(thought)  # type: ignore[attr-defined]
    return answer


def _calls(thought: Thought) -> list[ToolCall]:
    return [
        ToolCall(
            name=call.name,
            success=not call.fault,
            arguments=call.arguments,
            result={"error": call.fault} if call.fault else None,
        )
        for call in thought.answer.calls
    ]


def _sources(thought: Thought) -> list[Source]:
    return [
        Source(
            document=passage.document,
            text=passage.text,
            score=passage.score,
            similarity=passage.similarity,
            chunk=passage.chunk,
            heading=passage.heading,
            first=passage.first,
            last=passage.last,
        )
        for passage in thought.passages
    ]
