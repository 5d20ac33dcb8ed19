"""``/robots/{robot_id}/memories``: what a robot remembers, and whether it may. Nothing is remembered
without consent, and whoever withdraws it has everything forgotten."""

from collections.abc import Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.disconnect import ClientGone, while_connected
from hub.edge.documented import refusals
from hub.edge.grants import grant_of, robot_in
from hub.edge.job_errors import failed
from hub.edge.job_routes import ErrorBody
from hub.edge.services import EdgeServices
from hub.errors import JobError
from protocols.messages.memory import MemoryState

RobotId = Annotated[str, Path(max_length=64)]
Tags = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=100)]],
    Query(max_length=50, description="Only these; without any, everything."),
]


class MemoryBody(BaseModel):
    """Something that a robot remembers, and how strong it still is, from 0 to 1."""

    tag: str
    category: str
    strength: float
    valence_bias: float
    arousal_bias: float
    reinforcement_count: int


class MemoriesBody(BaseModel):
    """All that a robot remembers, the strongest first, and whether it may."""

    robot_id: str
    consent: bool
    entries: list[MemoryBody]


def memory_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["robot"])
    minds = services.minds
    told: dict[str, Any] = {
        "response_model": MemoriesBody,
        "responses": refusals(ErrorBody, job=True, s400="This is no robot's id."),
    }

    @router.get("/robots/{robot_id}/memories", **told)
    async def memories(robot_id: RobotId, request: Request) -> MemoriesBody | Response:
        """Everything that a robot remembers, to show or to keep."""
        robot = robot_in(request, robot_id)
        return await _answered(request, robot, minds.memories(robot, grant_of(request).id))

    @router.delete("/robots/{robot_id}/memories", **told)
    async def forget(
        robot_id: RobotId,
        request: Request,
        tag: Tags = [],  # noqa: B006 - FastAPI copies it
    ) -> MemoriesBody | Response:
        """Forget what a robot remembers, for good. Whether it may stays as it is."""
        robot = robot_in(request, robot_id)
        work = minds.forget(robot, tuple(tag), grant_of(request).id)
        return await _answered(request, robot, work)

    @router.put("/robots/{robot_id}/memories/consent", **told)
    async def give(robot_id: RobotId, request: Request) -> MemoriesBody | Response:
        """Let a robot remember from now on."""
        robot = robot_in(request, robot_id)
        return await _answered(request, robot, minds.consent(robot, True, grant_of(request).id))

    @router.delete("/robots/{robot_id}/memories/consent", **told)
    async def withdraw(robot_id: RobotId, request: Request) -> MemoriesBody | Response:
        """Let a robot remember no more; what it remembers is forgotten, for good."""
        robot = robot_in(request, robot_id)
        return await _answered(request, robot, minds.consent(robot, False, grant_of(request).id))

    return router


async def _answered(
    request: Request, robot: str, work: Coroutine[Any, Any, MemoryState]
) -> MemoriesBody | Response:
    try:
        memory = await while_connected(request, work)
    except JobError as error:
        return failed(request, error)
    except ClientGone:
        return Response(status_code=499)
    entries = [
        MemoryBody(
            tag=entry.tag,
            category=entry.category,
            strength=entry.strength,
            valence_bias=entry.valence_bias,
            arousal_bias=entry.arousal_bias,
            reinforcement_count=entry.reinforcements,
        )
        for entry in memory.entries
    ]
    return MemoriesBody(robot_id=robot, consent=memory.consent, entries=entries)
