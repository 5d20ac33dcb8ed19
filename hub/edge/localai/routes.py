"""LocalAI's inference manager: ``/health``, ``/queue-status``, and Ollama's API as far as it has it."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub.edge.chats import written
from hub.edge.disconnect import ClientGone
from hub.edge.documented import refusals
from hub.edge.grants import grant_of
from hub.edge.job_errors import failed
from hub.edge.job_routes import ErrorBody, QueueStatusBody, queue_status_of
from hub.edge.json_body import LargeBodyRoute
from hub.edge.model_names import has_model, held_by, model_for
from hub.edge.services import EdgeServices
from hub.errors import JobError
from hub.jobs.inference import Inference, Said
from hub.jobs.orders import Caller
from hub.machine import Machine
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.chat import ChatRequest

DEADLINE_S = 600.0
DEFAULT_MODEL = "qwen3:32b"
MAX_MESSAGES = 200
_TEXT = AgentKind.PLANNER


class HealthAnswer(BaseModel):
    """Answer of ``GET /health``."""

    status: Literal["healthy"] = "healthy"
    version: str


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


def localai_router(services: EdgeServices) -> APIRouter:
    """The routes; their bare paths are other families'."""
    router = APIRouter(tags=["localai"], route_class=LargeBodyRoute)
    inference, machine = Inference(services.jobs), Machine()
    refused = refusals(ErrorBody, job=True, s400="The body is no JSON.")

    @router.get("/health", responses=refusals(ErrorBody))
    async def health() -> HealthAnswer:
        """The server answers; always 200."""
        return HealthAnswer(version=services.facts.version)

    @router.get("/queue-status", responses=refusals(ErrorBody))
    async def queue_status() -> QueueStatusBody:
        """What waits for each model, and how busy the machine is."""
        return queue_status_of(services, machine)

    @router.get("/ollama/", response_class=PlainTextResponse, responses=refusals(ErrorBody))
    async def ollama() -> str:
        """What Ollama says of itself."""
        return "Ollama is running"

    @router.get("/ollama/api/tags", responses=refusals(ErrorBody))
    async def tags() -> TagsAnswer:
        """The models that write."""
        names = [
            held_by(agent) or agent.backend
            for agent in services.health().agents
            if agent.kind is _TEXT
            and agent.role == "primary"
            and agent.state is AgentState.READY
            and has_model(agent)
        ]
        return TagsAnswer(models=[TaggedModel(name=name, model=name) for name in names])

    @router.post("/ollama/api/chat", response_model=ChatAnswer, responses=refused)
    async def chat(body: ChatBody, request: Request) -> ChatAnswer | Response:
        """Go on with a chat."""
        how = ChatRequest(messages=(), temperature=body.temperature)
        said = [Said(message.role, message.content) for message in body.messages]
        model = model_for(body.model, _TEXT, services.health().agents, services.facts.aliases)
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

    return router
