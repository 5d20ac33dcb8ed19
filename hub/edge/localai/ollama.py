"""Ollama's API, as far as LocalAI's inference manager has it, under ``/ollama``."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub.edge.chats import written
from hub.edge.disconnect import ClientGone, while_connected
from hub.edge.documented import refusals
from hub.edge.grants import grant_of
from hub.edge.held_body import off_loop
from hub.edge.job_errors import failed
from hub.edge.job_routes import ErrorBody
from hub.edge.json_body import LargeBodyRoute
from hub.edge.limits import PARSED_IN_PLACE_BYTES
from hub.edge.model_names import has_model, held_by, model_for
from hub.edge.services import EdgeServices
from hub.errors import JobError
from hub.jobs.admission import AgentView
from hub.jobs.inference import Inference, Said, Vectors
from hub.jobs.orders import Caller
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.chat import ChatRequest

DEADLINE_S = 600.0
DEFAULT_MODEL = "qwen3:32b"
MAX_MESSAGES = 200
MAX_TEXTS, MAX_TEXT_CHARS = 64, 32_768
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_CHARS, pattern=r"\S")]
_TEXT = AgentKind.PLANNER


class TaggedModel(BaseModel):
    """A model, as Ollama lists it."""

    name: str
    model: str


class TagsAnswer(BaseModel):
    """Answer of ``GET /ollama/api/tags``."""

    models: list[TaggedModel]


class ChatMessage(BaseModel):
    """A message of a chat."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str


class ChatBody(BaseModel):
    """Body of ``POST /ollama/api/chat``; answered whole."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    model: Annotated[str, StringConstraints(max_length=200)] = DEFAULT_MODEL
    temperature: float = Field(default=0.7, ge=0, le=2)
    stream: Literal[False] = False


class ChatAnswer(BaseModel):
    """Answer of ``POST /ollama/api/chat``."""

    model: str
    created_at: str
    message: ChatMessage
    done: bool = True
    done_reason: str
    prompt_eval_count: int
    eval_count: int


class EmbedBody(BaseModel):
    """Body of ``POST /ollama/api/embed``: a text or several. Its document leaves out what is asked;
    these are Ollama's fields."""

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
    model: Annotated[str, StringConstraints(max_length=200)] = ""


class EmbedAnswer(BaseModel):
    """Answer of ``POST /ollama/api/embed``: a vector of unit length for each text."""

    model: str
    embeddings: list[list[float]]
    prompt_eval_count: int


def ollama_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["localai"], route_class=LargeBodyRoute)
    inference = Inference(services.jobs)
    refused = refusals(ErrorBody, job=True, s400="The body is no JSON.")

    @router.get("/ollama/", response_class=PlainTextResponse, responses=refusals(ErrorBody))
    async def ollama() -> str:
        """What Ollama says of itself."""
        return "Ollama is running"

    @router.get("/ollama/api/tags", responses=refusals(ErrorBody))
    async def tags() -> TagsAnswer:
        """The models that write."""
        names = [held_by(agent) or agent.backend for agent in services.agents() if _writes(agent)]
        return TagsAnswer(models=[TaggedModel(name=name, model=name) for name in names])

    @router.post("/ollama/api/chat", response_model=ChatAnswer, responses=refused)
    async def chat(body: ChatBody, request: Request) -> ChatAnswer | Response:
        """Go on with a chat."""
        how = ChatRequest(messages=(), temperature=body.temperature, whole=True)
        said = [Said(message.role, message.content) for message in body.messages]
        model = model_for(body.model, _TEXT, services.agents(), services.facts.aliases)
        caller = Caller(grant_of(request).id, deadline_s=DEADLINE_S)
        try:
            whole = await written(request, inference.chat(said, how, model=model, caller=caller))
        except JobError as error:
            return failed(request, error)
        except ClientGone:
            return Response(status_code=499)
        return ChatAnswer(
            model=whole.done.model or body.model,
            created_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            message=ChatMessage(role="assistant", content=whole.text),
            done_reason=whole.done.finish_reason,
            prompt_eval_count=whole.done.prompt_tokens,
            eval_count=whole.done.completion_tokens,
        )

    @router.post("/ollama/api/embed", response_model=EmbedAnswer, responses=refused)
    async def embed(body: EmbedBody, request: Request) -> Response:
        """Vectors of texts, by the memory's model."""
        texts = [body.input] if isinstance(body.input, str) else body.input
        agents, aliases = services.agents(), services.facts.aliases
        model = model_for(body.model, AgentKind.MEMORY, agents, aliases)
        caller = Caller(grant_of(request).id, deadline_s=DEADLINE_S)
        try:
            made = await while_connected(request, inference.embed(texts, model, caller))
        except JobError as error:
            return failed(request, error)
        except ClientGone:
            return Response(status_code=499)
        if len(made.data) <= PARSED_IN_PLACE_BYTES:
            document = _embedded(made, body.model)
        else:
            document = await off_loop(_embedded, made, body.model)
        return Response(document, media_type="application/json")

    return router


def _embedded(made: Vectors, model: str) -> bytes:
    """An ``EmbedAnswer``; blocking where there are many numbers in it."""
    return msgspec.json.encode(
        {
            "model": made.done.model or model,
            "embeddings": made.rows(),
            "prompt_eval_count": made.done.tokens,
        }
    )


def _writes(agent: AgentView) -> bool:
    ready = agent.kind is _TEXT and agent.role == "primary" and agent.state is AgentState.READY
    return ready and has_model(agent)
