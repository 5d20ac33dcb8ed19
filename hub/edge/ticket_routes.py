"""``POST /tickets``: what a browser opens a WebSocket with, ``?ticket=…``."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request

from hub.edge.documented import refusals
from hub.edge.grants import grant_of
from hub.edge.job_routes import ErrorBody
from hub.edge.services import EdgeServices
from hub.edge.tickets import LIFE_S


class TicketAnswer(BaseModel):
    """Answer of ``POST /tickets``."""

    ticket: str
    expires_in_s: int = LIFE_S


def ticket_router(services: EdgeServices) -> APIRouter:
    """The route over ``services``."""
    router = APIRouter(tags=["hub"])

    @router.post("/tickets", responses=refusals(ErrorBody))
    async def tickets(request: Request) -> TicketAnswer:
        """A ticket for one WebSocket within 30 seconds; it allows what the caller's token does."""
        return TicketAnswer(ticket=services.gate.tickets.issue(grant_of(request)))

    return router
