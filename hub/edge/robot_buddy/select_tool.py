"""``POST /eval/select_tool``: which tool of a robot would the model use for what a user says? For
measuring models; nothing is called.
"""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.chats import written
from hub.edge.disconnect import ClientGone
from hub.edge.documented import refusals
from hub.edge.grants import grant_of
from hub.edge.http_errors import answer
from hub.edge.job_errors import status_of
from hub.edge.job_routes import ErrorBody
from hub.edge.model_names import has_model
from hub.edge.services import EdgeServices
from hub.errors import AgentMissing, Busy, JobError
from hub.jobs.inference import Inference, Said
from hub.jobs.orders import Caller
from protocols.messages.agent import AgentKind, AgentState
from protocols.messages.chat import ChatRequest

DEADLINE_S = 20.0
MAX_TOKENS = 128
MAX_ARGS_CHARS = 2_000

RULES = """You choose whether a small robot needs a tool before it answers its user.
Tools:
- look: take a picture with its camera. args: {"hint": what to look for} or {}.
- get_memory: what it remembers of its user. args: {"category": "name", "topic", "ritual", "tone" \
or "preference"} or {}.
- recent_events: what it noticed lately. args: {"pattern": part of an event's name, "n": 1 to 50} or {}.
- none: it can answer without. args: {}.
Answer with JSON: {"tool": …, "args": {…}}."""

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tool": {"type": "string", "enum": ["look", "get_memory", "recent_events", "none"]},
        "args": {"type": "object"},
    },
    "required": ["tool", "args"],
    "additionalProperties": False,
}
_CODES = {404: "llm_unavailable", 429: "llm_busy", 503: "llm_unavailable", 504: "llm_timeout"}


class SelectBody(BaseModel):
    """Body of ``POST /eval/select_tool``."""

    user_text: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Selection(BaseModel):
    """A tool, and what it would be called with."""

    tool: Literal["look", "get_memory", "recent_events", "none"]
    args: dict[str, Any] = {}


class SelectAnswer(BaseModel):
    """Answer of ``POST /eval/select_tool``; ``parsed`` is null where ``raw`` is no selection."""

    raw: str
    parsed: Selection | None


_READER = TypeAdapter(Selection)


def select_router(services: EdgeServices) -> APIRouter:
    """The route over ``services``."""
    router = APIRouter(tags=["robot"])
    inference = Inference(services.jobs)
    refused = refusals(
        ErrorBody,
        s400="The body is no JSON.",
        s500="The model failed.",
        s501="There is no language model.",
        s504="The model took too long.",
    )

    @router.post("/eval/select_tool", response_model=SelectAnswer, responses=refused)
    async def select_tool(body: SelectBody, request: Request) -> SelectAnswer | Response:
        """Let the model choose, at a temperature of 0."""
        if _has_rules_only(services):
            error = JobError("the reflex planner chooses no tools; choose another LLM_BACKEND")
            return answer(error, 501, "backend_mismatch")
        how = ChatRequest(
            messages=(), schema=_SCHEMA, temperature=0.0, max_tokens=MAX_TOKENS, whole=True
        )
        said = [Said("system", RULES), Said("user", body.user_text)]
        caller = Caller(grant_of(request).id, deadline_s=DEADLINE_S)
        try:
            whole = await written(request, inference.chat(said, how, caller=caller))
        except JobError as error:
            return _failed(error)
        except ClientGone:
            return Response(status_code=499)
        return SelectAnswer(raw=whole.text, parsed=selection_in(whole.text))

    return router


def selection_in(text: str) -> Selection | None:
    """What a model has chosen; None if it is no choice."""
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end - begin > MAX_ARGS_CHARS:
        return None
    try:
        return _READER.validate_python(msgspec.json.decode(text[begin : end + 1]))
    except (msgspec.DecodeError, ValidationError, UnicodeEncodeError):
        return None


def _has_rules_only(services: EdgeServices) -> bool:
    planners = [
        agent
        for agent in services.agents()
        if agent.kind is AgentKind.PLANNER
        and agent.role == "primary"
        and agent.state is AgentState.READY
    ]
    return bool(planners) and not any(has_model(agent) for agent in planners)


def _failed(error: JobError) -> Response:
    """The documented answer to a selection that failed."""
    if isinstance(error, AgentMissing):
        return answer(error, 503, "llm_unavailable")
    status = status_of(error)
    if status == 429 and not isinstance(error, Busy):
        error = Busy(str(error))
    if status not in _CODES:
        return answer(error, 500, "llm_error")
    return answer(error, 503 if status == 404 else status, _CODES[status])
