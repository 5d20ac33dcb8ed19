"""The edge as one ASGI application."""

from fastapi import FastAPI
from starlette.websockets import WebSocket

from hub.edge import doorman, http_errors
from hub.edge.admission import Slots, admit
from hub.edge.api_document import DocumentedApi
from hub.edge.attention_routes import attention_router
from hub.edge.docs_routes import docs_router
from hub.edge.face_ws import face_endpoint
from hub.edge.families import mount
from hub.edge.feeling_routes import feeling_router
from hub.edge.job_routes import job_router
from hub.edge.log_routes import log_router
from hub.edge.mcp.door import McpDoor
from hub.edge.memory_routes import memory_router
from hub.edge.model_routes import model_router
from hub.edge.observe_routes import observe_router
from hub.edge.observe_ws import observe_endpoint
from hub.edge.openai.router import openai_router
from hub.edge.page_routes import page_routes
from hub.edge.pairing_routes import pairing_router
from hub.edge.reminder_routes import reminder_router
from hub.edge.request_log import RequestLog
from hub.edge.robot_ws import robot_endpoint
from hub.edge.services import EdgeServices
from hub.edge.status_routes import status_router
from hub.edge.ticket_routes import ticket_router
from hub.edge.token_routes import token_router


def build_app(services: EdgeServices, mcp: McpDoor | None = None) -> FastAPI:
    """All routes over ``services``, and those of ``mcp``. Serve it by ``hub/edge/server.py``: the
    WebSocket routes need its connections."""
    slots = Slots(services.facts.max_connections)
    app = DocumentedApi(
        title="Robot Hub", version=services.facts.version, docs_url=None, redoc_url=None
    )
    http_errors.install(app)
    doorman.install(
        app,
        services.gate,
        services.counters,
        draining=services.draining,
        patience=services.patience,
        held=services.held,
    )
    app.add_middleware(RequestLog)  # outermost: what the doorman refuses is logged, too
    # Routes are tried in this order, one by one: first what programs ask for most.
    app.include_router(openai_router(services))
    app.router.routes.extend(page_routes())
    app.include_router(docs_router())
    app.include_router(status_router(services))
    app.include_router(model_router(services))
    app.include_router(job_router(services))
    app.include_router(attention_router(services))
    app.include_router(ticket_router(services))
    app.include_router(reminder_router(services))
    app.include_router(feeling_router(services))
    app.include_router(memory_router(services))
    app.include_router(pairing_router(services))
    app.include_router(token_router(services))
    app.include_router(log_router(services))
    app.include_router(observe_router(services))
    mount(app, services, slots)

    if mcp is not None:
        app.router.routes.extend(mcp.routes())

    @app.websocket("/robot")
    async def robot(websocket: WebSocket) -> None:
        await admit(websocket, services, slots, robot_endpoint)

    @app.websocket("/face")
    async def face(websocket: WebSocket) -> None:
        await admit(websocket, services, slots, face_endpoint)

    @app.websocket("/observe")
    async def observe(websocket: WebSocket) -> None:
        await admit(websocket, services, slots, observe_endpoint)

    return app
