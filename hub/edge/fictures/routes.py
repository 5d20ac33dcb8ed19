"""The Fictures AI server's routes: those that tell what it is, and the families of work."""

from fastapi import APIRouter

from hub.edge.documented import refusals
from hub.edge.fictures.bodies import (
    ErrorBody,
    HealthAnswer,
    IndexAnswer,
    ListAnswer,
    ModelsAnswer,
    ServedModels,
)
from hub.edge.fictures.images import image_router
from hub.edge.fictures.models import listed, models_of
from hub.edge.fictures.text import text_router
from hub.edge.services import EdgeServices

ENDPOINTS = {
    "health": "/health",
    "models": "/api/v1/models",
    "text_generation": "/api/v1/text/generate",
    "text_streaming": "/api/v1/text/stream",
    "structured_output": "/api/v1/text/structured",
    "text_models": "/api/v1/text/models",
    "image_generation": "/api/v1/images/generate",
    "image_models": "/api/v1/images/models",
    "docs": "/docs",
}


def fictures_router(services: EdgeServices) -> APIRouter:
    """The routes that stand at bare paths as well."""
    router = APIRouter(prefix="/api/v1", tags=["fictures"])

    @router.get("/models", responses=refusals(ErrorBody))
    async def models() -> ModelsAnswer:
        """All models."""
        return models_of(services.agents())

    @router.get("/text/models", responses=refusals(ErrorBody))
    async def text_models() -> ListAnswer:
        """The models that write."""
        return listed(models_of(services.agents()).text_generation)

    @router.get("/images/models", responses=refusals(ErrorBody))
    async def image_models() -> ListAnswer:
        """The models that paint."""
        return listed(models_of(services.agents()).image_generation)

    router.include_router(text_router(services))
    router.include_router(image_router(services))
    return router


def fictures_own_router(services: EdgeServices) -> APIRouter:
    """The routes whose bare paths are other families'."""
    router = APIRouter(tags=["fictures"])

    @router.get("/", responses=refusals(ErrorBody))
    async def index() -> IndexAnswer:
        """What is here."""
        return IndexAnswer(
            message="Fictures AI Server",
            version=services.facts.version,
            description="Text and image generation",
            endpoints=ENDPOINTS,
        )

    @router.get("/health", responses=refusals(ErrorBody))
    async def health() -> HealthAnswer:
        """The server answers; always 200."""
        found = models_of(services.agents())
        return HealthAnswer(
            version=services.facts.version,
            models=ServedModels(
                text=next((model.name for model in found.text_generation), None),
                image=next((model.name for model in found.image_generation), None),
            ),
        )

    return router
