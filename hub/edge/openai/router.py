"""All routes under ``/v1``."""

from fastapi import APIRouter

from hub.edge.openai.asking import Desk
from hub.edge.openai.chat_routes import chat_router
from hub.edge.openai.completion_routes import completion_router
from hub.edge.openai.embedding_routes import embedding_router
from hub.edge.openai.image_routes import image_router
from hub.edge.openai.model_listing import model_list_router
from hub.edge.openai.speech_routes import speech_router
from hub.edge.openai.transcription_routes import transcription_router
from hub.edge.services import EdgeServices

BASE = "/v1"
ROUTERS = (
    model_list_router,
    chat_router,
    completion_router,
    embedding_router,
    transcription_router,
    speech_router,
    image_router,
)


def openai_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    desk = Desk(services)
    router = APIRouter(prefix=BASE)
    for make in ROUTERS:
        router.include_router(make(desk))
    return router
