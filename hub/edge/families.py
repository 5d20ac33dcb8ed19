"""The families of routes, each under the base path of the system it comes from, and on bare paths
where no other family has the same.

A route stands in the OpenAPI document once: under its base path, robot-buddy's under its bare one.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute
from starlette.websockets import WebSocket

from hub.edge.admission import Slots, admit
from hub.edge.auraos.routes import auraos_own_router, auraos_router
from hub.edge.auraos.stream import stream_endpoint
from hub.edge.converse_ws import converse_endpoint
from hub.edge.fictures.routes import fictures_own_router, fictures_router
from hub.edge.localai.kinds import kinds_router
from hub.edge.localai.ollama import ollama_router
from hub.edge.localai.routes import localai_router
from hub.edge.plan_route import plan_router
from hub.edge.robot_buddy.routes import robot_buddy_own_router
from hub.edge.robot_buddy.select_tool import select_router
from hub.edge.services import EdgeServices
from hub.edge.speech_routes import speech_router
from hub.edge.wespoke.knowledge import knowledge_router
from hub.edge.wespoke.routes import wespoke_own_router, wespoke_router
from hub.edge.wespoke.stream import Streaming

Endpoint = Callable[[WebSocket, EdgeServices], Awaitable[None]]


@dataclass(frozen=True)
class RouteFamily:
    """The routes of one system.

    Args:
        base: its base path.
        shared: routers on bare paths as well.
        own: routers whose bare paths others have.
        sockets: WebSockets by path, on bare paths as well.
        bare: it is documented by its bare paths.
        index: its document says nothing of ``/``, so that it answers with a list of paths.
    """

    base: str
    shared: tuple[APIRouter, ...] = ()
    own: tuple[APIRouter, ...] = ()
    sockets: Mapping[str, Endpoint] = field(default_factory=dict)
    bare: bool = False
    index: bool = True


def families_of(services: EdgeServices) -> tuple[RouteFamily, ...]:
    """All of them, over ``services``."""
    return (
        RouteFamily(
            "/robot-buddy",
            shared=(plan_router(services), speech_router(services), select_router(services)),
            own=(robot_buddy_own_router(services),),
            sockets={"/converse": converse_endpoint},
            bare=True,
        ),
        RouteFamily(
            "/auraos",
            shared=(auraos_router(services),),
            own=(auraos_own_router(services),),
            sockets={"/generate/stream": stream_endpoint},
        ),
        RouteFamily(
            "/wespoke",
            shared=(wespoke_router(services), knowledge_router(services)),
            own=(wespoke_own_router(services),),
            sockets={"/ai/stream": Streaming()},
            index=False,
        ),
        RouteFamily(
            "/fictures",
            shared=(fictures_router(services),),
            own=(fictures_own_router(services),),
            index=False,
        ),
        RouteFamily(
            "/localai",
            own=(localai_router(services), ollama_router(services), kinds_router(services)),
        ),
    )


def mount(app: FastAPI, services: EdgeServices, slots: Slots) -> None:
    """Put all families into ``app``; their WebSockets take from ``slots``."""
    for family in families_of(services):
        for router in family.shared:
            app.include_router(router, prefix=family.base, include_in_schema=not family.bare)
            app.include_router(router, include_in_schema=family.bare)
        for router in family.own:
            app.include_router(router, prefix=family.base)
        for path, endpoint in family.sockets.items():
            for base in ("", family.base):
                app.add_api_websocket_route(base + path, _admitting(services, slots, endpoint))
        if family.index:
            app.include_router(_index_router(family, services), prefix=family.base)


def _admitting(
    services: EdgeServices, slots: Slots, endpoint: Endpoint
) -> Callable[[WebSocket], Awaitable[None]]:
    async def admitted(websocket: WebSocket) -> None:
        await admit(websocket, services, slots, endpoint)

    return admitted


def _index_router(family: RouteFamily, services: EdgeServices) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    paths = sorted({path for each in (*family.shared, *family.own) for path in _paths(each.routes)})

    @router.get("/")
    async def index() -> dict[str, Any]:
        """What is here."""
        return {
            "name": "Robot Hub",
            "version": services.facts.version,
            "family": family.base.removeprefix("/"),
            "docs": "/docs",
            "http": paths,
            "websocket": sorted(family.sockets),
        }

    return router


def _paths(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        path = getattr(route, "path", "")
        if path:
            yield path
