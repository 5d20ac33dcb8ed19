"""robot-buddy's own ``/health``, under its base path; the bare one is the same."""

from fastapi import APIRouter
from starlette.responses import JSONResponse

from hub.edge import health as documents
from hub.edge.services import EdgeServices


def robot_buddy_own_router(services: EdgeServices) -> APIRouter:
    """The routes under the base path that stand elsewhere as the hub's own."""
    router = APIRouter(tags=["robot"], include_in_schema=False)

    @router.get("/health")
    async def health() -> JSONResponse:
        ok, body = documents.health(services.health(), services.facts, services.jobs.plan_admission)
        return JSONResponse(body, 200 if ok else 503)

    return router
