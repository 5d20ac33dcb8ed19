"""Routes for those who watch: health, readiness, numbers."""

from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from hub.edge import health as documents
from hub.edge.documented import Responses, refusals
from hub.edge.job_routes import ErrorBody
from hub.edge.metrics import exposition, registry_of
from hub.edge.paths import BASES
from hub.edge.services import EdgeServices

PATHS = (
    "/plan",
    "/tts",
    "/say",
    "/robots/{robot_id}/reminders",
    "/robots/{robot_id}/feelings",
    "/robots/{robot_id}/memories",
    "/eval/select_tool",
    "/models/load",
    "/models/unload",
    "/jobs",
    "/queue-status",
    "/health",
    "/livez",
    "/readyz",
    "/status",
    "/metrics",
)
"""What ``/`` tells programs to ask for."""


def status_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["hub"])
    metrics_registry = registry_of(services)
    refused = refusals(ErrorBody)
    unwell: Responses = {**refused, 503: {"description": "Not now; the body says what is missing."}}

    @router.get("/health", responses=unwell)
    async def health() -> JSONResponse:
        """robot-buddy's health; 503 while no language model is reachable."""
        ok, body = documents.health(services.health(), services.facts, services.jobs.plan_admission)
        return JSONResponse(body, 200 if ok else 503)

    @router.get("/livez")
    async def livez() -> dict[str, bool]:
        """The process answers."""
        return {"alive": True}

    @router.get("/readyz", responses=unwell)
    async def readyz() -> JSONResponse:
        """200 once the agents take work that conversations need; of a hub without all of those,
        every agent."""
        ready, body = documents.readiness(services.health(), services.facts)
        return JSONResponse(body, 200 if ready else 503)

    @router.get("/status", responses=refused)
    async def status() -> dict[str, Any]:
        """Robots, agents and counters."""
        counts = dict(services.counters.read())
        return documents.status(
            services.health(), services.facts, counts, services.clocks.read(), services.clock_ns()
        )

    @router.get("/metrics", response_class=Response, responses=refused)
    async def metrics() -> Response:
        """Numbers for Prometheus."""
        return Response(await exposition(metrics_registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/", responses=refused)
    async def index() -> dict[str, Any]:
        """What is here."""
        return {
            "name": "Robot Hub",
            "version": services.facts.version,
            "hub_id": services.facts.hub_id,
            "docs": "/docs",
            "http": list(PATHS),
            "websocket": [
                "/robot?robot_id=…",
                "/converse?robot_id=…",
                "/face?robot_id=…",
                "/observe",
                "/generate/stream",
                "/ai/stream",
            ],
            "families": [f"{base}/" for base in BASES],
        }

    return router
