"""``POST /plan``: what should the robot do now?"""

import time
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.disconnect import ClientGone, while_connected
from hub.edge.documented import refusals
from hub.edge.grants import check_robot, grant_of
from hub.edge.http_errors import answer
from hub.edge.job_routes import ErrorBody
from hub.edge.services import EdgeServices
from hub.errors import AgentMissing, Busy, JobError, JobTimeout
from hub.session.guard import checked_actions
from protocols.identity import checked_robot_id
from protocols.plan import MAX_TTL_MS, MIN_TTL_MS, PlanResponse, WorldState, safe_actions

_UNREACHABLE = frozenset({"backend_unavailable", "llm_unreachable"})
_TIMEOUT = frozenset({"backend_timeout", "llm_timeout"})
_BUSY = frozenset({"backend_busy", "llm_busy"})


def plan_router(services: EdgeServices) -> APIRouter:
    """The route over ``services``."""
    router = APIRouter(tags=["robot"])

    refused = refusals(
        ErrorBody,
        s400="The robot's id or the body is not valid.",
        s502="The model cannot be reached, or wrote no plan.",
        s504="The model took too long.",
    )

    @router.post("/plan", response_model=PlanResponse, responses=refused)
    async def plan(world: WorldState, request: Request) -> PlanResponse | Response:
        """Answer a robot's world state with at most five actions that it can do."""
        robot = checked_robot_id(world.robot_id)
        check_robot(request, robot)
        deadline_s = services.facts.plan_timeout_s
        work = services.jobs.plan(world.model_dump(), deadline_s, grant_of(request).id)
        try:
            done = await while_connected(request, work)
        except JobError as error:
            return plan_failure(error)
        except ClientGone:
            return Response(status_code=499)
        actions = safe_actions(done.actions, services.allowed_actions(robot))
        if services.is_quiet(robot):
            told, actions = actions, [each for each in actions if each["action"] != "say"]
            services.counters.count("quiet_hours.unsaid", len(told) - len(actions))
        if services.facts.guard:
            actions, kept_back = checked_actions(actions)
            for category in kept_back:
                services.counters.count(f"guarded_spoken.{category}")
        return PlanResponse.model_validate(
            {
                "plan_id": uuid4().hex,
                "robot_id": world.robot_id,
                "seq": world.seq,
                "monotonic_ts_ms": world.monotonic_ts_ms,
                "server_monotonic_ts_ms": time.monotonic_ns() // 1_000_000,
                "actions": actions[: services.facts.max_actions],
                "ttl_ms": min(MAX_TTL_MS, max(MIN_TTL_MS, done.ttl_ms)),
            }
        )

    return router


def plan_failure(error: JobError) -> Response:
    """The documented answer to a plan that failed."""
    if isinstance(error, Busy):
        return answer(error, 429, "planner_busy")
    if error.code in _BUSY:
        return answer(Busy("llm backend saturated; retry shortly"), 429, "planner_busy")
    if isinstance(error, JobTimeout) or error.code in _TIMEOUT:
        return answer(JobTimeout("Model took too long to respond"), 504, "llm_timeout")
    if isinstance(error, AgentMissing) or error.code in _UNREACHABLE:
        return answer(error, 502, "llm_unreachable")
    return answer(error, 502, "llm_error")
