"""``/tokens``: the credentials of the hub, for administrators. What they mean stands in
``hub/store/tokens.py``; ``robot-hub tokens`` does the same on the data directory itself."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.edge.documented import refusals
from hub.edge.grants import check_admin, grant_of
from hub.edge.http_errors import answer
from hub.edge.job_routes import ErrorBody
from hub.edge.services import EdgeServices
from hub.store.tokens import ANY_ROBOT, BadToken, Scope, UnknownToken

Label = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
]
TokenId = Annotated[str, Path(max_length=40)]

log = structlog.get_logger()


class TokenBody(BaseModel):
    """A token without its secret. ``robot`` is empty where it is no robot's; ``rate`` is requests a
    minute, null: as the settings say; ``created_s`` is Unix time. ``own``: it is the caller's."""

    id: str
    scope: str
    robot: str
    label: str
    rate: int | None
    created_s: float
    own: bool


class TokensAnswer(BaseModel):
    """Answer of ``GET /tokens``."""

    tokens: list[TokenBody]


class NewTokenBody(BaseModel):
    """Body of ``POST /tokens``; a token of scope ``robot`` names its robot, no other does."""

    scope: Scope
    robot: str = ""
    label: Label = ""
    rate: int | None = Field(default=None, ge=1, le=1_000_000)


class NewTokenAnswer(BaseModel):
    """Answer of ``POST /tokens``: the only time that anybody sees ``token``."""

    token: str


def token_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["hub"])
    gate, counters = services.gate, services.counters

    @router.get("/tokens", responses=refusals(ErrorBody))
    async def tokens(request: Request) -> TokensAnswer:
        """All tokens, the oldest first."""
        check_admin(request)
        own = grant_of(request).id
        found = [
            TokenBody(
                id=one.id,
                scope=one.scope,
                robot="" if one.robot == ANY_ROBOT else one.robot,
                label=one.label,
                rate=one.rate,
                created_s=one.created_s,
                own=one.id == own,
            )
            for one in await gate.tokens()
        ]
        return TokensAnswer(tokens=found)

    @router.post(
        "/tokens",
        status_code=201,
        response_model=NewTokenAnswer,
        responses=refusals(ErrorBody, s400="No such token can be made, or the body is no JSON."),
    )
    async def add(body: NewTokenBody, request: Request) -> Response:
        """A new token. The first one closes a hub that was open to its own machine."""
        check_admin(request)
        try:
            made = await gate.new_token(body.robot or ANY_ROBOT, body.label, body.scope, body.rate)
        except BadToken as error:
            return answer(error, 400)
        counters.count("tokens.added")
        log.info("token added", scope=body.scope.value, by=grant_of(request).id)
        return JSONResponse({"token": made}, 201, headers={"Cache-Control": "no-store"})

    @router.delete(
        "/tokens/{token_id}",
        status_code=204,
        response_class=Response,
        responses=refusals(ErrorBody, s404="There is no such token."),
    )
    async def revoke(token_id: TokenId, request: Request) -> Response:
        """Make a token worthless from its next use on; connections that it opened go on."""
        check_admin(request)
        try:
            await gate.revoke(token_id)
        except UnknownToken as error:
            return answer(error, 404)
        counters.count("tokens.revoked")
        log.info("token revoked", token=token_id, by=grant_of(request).id)
        return Response(status_code=204)

    return router
