"""``/robots/{robot_id}/attention``: how a robot listens, and muting it."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.requests import Request

from hub.edge.documented import refusals
from hub.edge.grants import grant_of, robot_in
from hub.edge.job_routes import ErrorBody
from hub.edge.services import EdgeServices
from protocols.messages.session import Attention, AttentionChanged, Mute

RobotId = Annotated[str, Path(max_length=64)]

log = structlog.get_logger()


class AttentionBody(BaseModel):
    """Body of ``PUT /robots/{robot_id}/attention``; what is left out stays as it is. To choose
    anything but ``muted`` ends a mute by software, and nothing here ends that of the robot's own
    switch."""

    attention: Attention | None = None
    muted: bool | None = None


class AttentionAnswer(BaseModel):
    """How a robot listens: ``hearing`` is whether what is said now is taken, ``unaddressed`` how
    often somebody spoke in its hearing and not to it."""

    robot_id: str
    attention: Attention
    mute: Mute
    hearing: bool
    unaddressed: int


def attention_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["robot"])
    refused = refusals(
        ErrorBody, s400="The robot's id is not valid, or the body is no JSON.",
        s404="The robot is not connected.",
    )  # fmt: skip

    @router.get("/robots/{robot_id}/attention", responses=refused)
    async def attention(robot_id: RobotId, request: Request) -> AttentionAnswer:
        """How a connected robot listens."""
        robot = robot_in(request, robot_id)
        return _answer(robot, services.sessions.attend(robot))

    @router.put("/robots/{robot_id}/attention", responses=refused)
    async def attend(robot_id: RobotId, body: AttentionBody, request: Request) -> AttentionAnswer:
        """Choose how a connected robot listens, mute it, or end that."""
        robot = robot_in(request, robot_id)
        now = services.sessions.attend(robot, body.attention, body.muted)
        log.info("attention chosen", robot=robot, mute=now.mute, by=grant_of(request).id)
        return _answer(robot, now)

    return router


def _answer(robot: str, now: AttentionChanged) -> AttentionAnswer:
    return AttentionAnswer(
        robot_id=robot,
        attention=now.attention,
        mute=now.mute,
        hearing=now.hearing,
        unaddressed=now.unaddressed,
    )
