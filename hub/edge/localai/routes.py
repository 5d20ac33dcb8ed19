"""LocalAI's inference manager: ``/health`` and ``/queue-status``. Its four kinds stand in
``kinds.py``, what it has of Ollama's API in ``ollama.py``."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from hub.edge.documented import refusals
from hub.edge.job_routes import ErrorBody, QueueStatusBody, queue_status_of
from hub.edge.services import EdgeServices
from hub.machine import Machine


class HealthAnswer(BaseModel):
    """Answer of ``GET /health``."""

    status: Literal["healthy"] = "healthy"
    version: str


def localai_router(services: EdgeServices) -> APIRouter:
    """The routes; their bare paths are other families'."""
    router = APIRouter(tags=["localai"])
    machine = Machine()

    @router.get("/health", responses=refusals(ErrorBody))
    async def health() -> HealthAnswer:
        """The server answers; always 200."""
        return HealthAnswer(version=services.facts.version)

    @router.get("/queue-status", responses=refusals(ErrorBody))
    async def queue_status() -> QueueStatusBody:
        """What waits for each model, and how busy the machine is."""
        return queue_status_of(services, machine)

    return router
