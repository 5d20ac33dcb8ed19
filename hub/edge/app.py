"""The edge as one ASGI application."""

from fastapi import FastAPI
from starlette.websockets import WebSocket

from hub.edge import doorman, http_errors
from hub.edge.admission import Slots, admit
from hub.edge.converse_ws import converse_endpoint
from hub.edge.docs_routes import docs_router
from hub.edge.job_routes import job_router
from hub.edge.model_routes import model_router
from hub.edge.plan_route import plan_router
from hub.edge.request_log import RequestLog
from hub.edge.robot_ws import robot_endpoint
from hub.edge.services import EdgeServices
from hub.edge.speech_routes import speech_router
from hub.edge.status_routes import status_router
from hub.edge.ticket_routes import ticket_router


def build_app(services: EdgeServices) -> FastAPI:
    """All routes over ``services``. Serve it by ``hub/edge/server.py``: the WebSocket routes need
    its connections."""
    slots = Slots(services.facts.max_connections)
    app = FastAPI(title="Robot Hub", version=services.facts.version, docs_url=None, redoc_url=None)
    http_errors.install(app)
    doorman.install(
        app,
        services.gate,
        services.counters,
        draining=lambda: services.health().draining,
        patience=services.patience,
    )
    app.add_middleware(RequestLog)  # outermost: what the doorman refuses is logged, too
    app.include_router(docs_router())
    app.include_router(status_router(services))
    app.include_router(plan_router(services))
    app.include_router(speech_router(services))
    app.include_router(model_router(services))
    app.include_router(job_router(services))
    app.include_router(ticket_router(services))

    @app.websocket("/robot")
    async def robot(websocket: WebSocket) -> None:
        await admit(websocket, services, slots, robot_endpoint)

    @app.websocket("/converse")
    async def converse(websocket: WebSocket) -> None:
        await admit(websocket, services, slots, converse_endpoint)

    return app
