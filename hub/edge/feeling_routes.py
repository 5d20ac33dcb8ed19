"""``/robots/{robot_id}/feelings``: what a robot feels, and what people decide of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.documented import refusals
from hub.edge.grants import robot_in
from hub.edge.job_routes import ErrorBody
from hub.edge.services import EdgeServices
from protocols.envelope import Message
from protocols.messages.affect import AffectOverride, AffectReset, GuardrailSet, Idle

LONGEST_SESSION_S, LONGEST_DAY_S = 7_200.0, 14_400.0
RobotId = Annotated[str, Path(max_length=64)]


class FeelingsBody(BaseModel):
    """Answer of ``GET …/feelings``. Valence (unpleasant to pleasant) and arousal (calm to excited)
    are from -1 to 1; times are of this conversation, or the last one, and of all of today's."""

    robot_id: str
    mood: str
    intensity: float
    valence: float
    arousal: float
    idle_state: Idle
    conversation_active: bool
    session_time_s: float
    daily_time_s: float
    session_limit_reached: bool
    daily_limit_reached: bool


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GuardrailsBody(_Order):
    """Body of ``PATCH …/feelings/guardrails``: what is left out stays as it is. Limits are in
    seconds, 0: none; ``reset_daily`` forgives what was talked today."""

    negative_duration_caps: bool | None = None
    negative_intensity_caps: bool | None = None
    context_gate: bool | None = None
    session_time_limit_s: Annotated[float, Field(ge=0, le=LONGEST_SESSION_S)] | None = None
    daily_time_limit_s: Annotated[float, Field(ge=0, le=LONGEST_DAY_S)] | None = None
    reset_daily: bool = False


class OverrideBody(_Order):
    """Body of ``POST …/feelings/override``: a place in the plane, and how far towards it."""

    valence: Annotated[float, Field(ge=-1, le=1)]
    arousal: Annotated[float, Field(ge=-1, le=1)]
    magnitude: Annotated[float, Field(ge=0, le=2)]


def feeling_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["robot"])
    refused = refusals(
        ErrorBody,
        s400="This is no robot's id, or the body is no JSON.",
        s404="The robot is not connected.",
    )

    def ordered(robot_id: str, request: Request, order: Message) -> Response:
        services.minds.order(robot_in(request, robot_id), order)
        return Response(status_code=202)

    @router.get("/robots/{robot_id}/feelings", responses=refused)
    async def feelings(robot_id: RobotId, request: Request) -> FeelingsBody:
        """What a robot feels now, and how long it has talked."""
        robot = robot_in(request, robot_id)
        now = services.minds.feelings(robot)
        return FeelingsBody(robot_id=robot, **{name: getattr(now, name) for name in _TOLD})

    taken: dict[str, Any] = {"status_code": 202, "response_class": Response, "responses": refused}

    @router.patch("/robots/{robot_id}/feelings/guardrails", **taken)
    async def guardrails(robot_id: RobotId, body: GuardrailsBody, request: Request) -> Response:
        """Other guardrails for a robot: limits until its next session, the rest until its feelings
        are started anew."""
        return ordered(robot_id, request, GuardrailSet(**body.model_dump()))

    @router.post("/robots/{robot_id}/feelings/override", **taken)
    async def override(robot_id: RobotId, body: OverrideBody, request: Request) -> Response:
        """Push what a robot feels by hand. Guardrails hold."""
        return ordered(robot_id, request, AffectOverride(**body.model_dump()))

    @router.post("/robots/{robot_id}/feelings/reset", **taken)
    async def reset(robot_id: RobotId, request: Request) -> Response:
        """Let a robot feel as after waking. What was talked today stays counted."""
        return ordered(robot_id, request, AffectReset())

    return router


_TOLD = tuple(name for name in FeelingsBody.model_fields if name != "robot_id")
