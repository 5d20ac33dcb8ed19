"""``/pairing``: how a robot without a token comes by one. What it means stands in ``pairings.py``."""

from typing import Annotated

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.edge.documented import refusals
from hub.edge.grants import check_admin
from hub.edge.http_errors import answer
from hub.edge.job_routes import ErrorBody
from hub.edge.pairings import LIFE_S, UnknownPairing
from hub.edge.services import EdgeServices
from hub.edge.throttle import neighbourhood
from protocols.identity import checked_robot_id

BEGIN, TOKEN = "/pairing", "/pairing/token"
"""Answered to anybody: whoever asks has no token yet, and gets nothing that a person does not
confirm."""

log = structlog.get_logger()


class BeginBody(BaseModel):
    """Body of ``POST /pairing``: who wants in."""

    robot_id: str


class BeginAnswer(BaseModel):
    """Answer of ``POST /pairing``: ``pairing`` is a secret between robot and hub, ``code`` is to be
    shown to people."""

    pairing: str
    code: str
    hub_id: str
    expires_in_s: int = LIFE_S


class TokenBody(BaseModel):
    """Body of ``POST /pairing/token``."""

    pairing: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class TokenAnswer(BaseModel):
    """Answer of ``POST /pairing/token``, once; 202 and ``{"state": "waiting"}`` until then."""

    token: str
    hub_id: str
    robot_id: str


class WaitingRobot(BaseModel):
    """A robot that wants in."""

    robot_id: str
    code: str
    address: str
    expires_in_s: int


class WaitingAnswer(BaseModel):
    """Answer of ``GET /pairing/waiting``."""

    waiting: list[WaitingRobot]


class ConfirmBody(BaseModel):
    """Body of ``POST /pairing/confirm``."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\s*[0-9]{6}\s*$")]


class ConfirmAnswer(BaseModel):
    """Answer of ``POST /pairing/confirm``."""

    robot_id: str


def pairing_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``."""
    router = APIRouter(tags=["pairing"])
    gate, counters, hub_id = services.gate, services.counters, services.facts.hub_id
    unknown = refusals(ErrorBody, s400="The body is no JSON.", s404="Nobody waits with that.")

    @router.post(
        BEGIN,
        status_code=201,
        responses=refusals(ErrorBody, s400="The body is no JSON, or this is no robot's name."),
    )
    async def begin(body: BeginBody, request: Request) -> BeginAnswer:
        """A robot wants in: it gets a code to show, and waits."""
        robot = checked_robot_id(body.robot_id)
        begun = gate.pairings.begin(robot, _address_of(request))
        counters.count("pairings.begun")
        log.info("robot wants to be paired", robot=robot, address=_address_of(request))
        return BeginAnswer(pairing=begun.secret, code=begun.code, hub_id=hub_id)

    @router.post(TOKEN, response_model=TokenAnswer, responses=unknown)
    async def token(body: TokenBody, request: Request) -> Response:
        """The robot's token, once, after its code was confirmed."""
        try:
            confirmed = gate.pairings.collect(body.pairing, _address_of(request))
        except UnknownPairing as error:
            return answer(error, 404)
        if confirmed is None:
            return JSONResponse({"state": "waiting"}, 202)
        made = await gate.new_token(confirmed.robot, f"paired from {confirmed.address}")
        counters.count("pairings.done")
        log.info("robot paired", robot=confirmed.robot)
        document = TokenAnswer(token=made, hub_id=hub_id, robot_id=confirmed.robot)
        return JSONResponse(document.model_dump(), headers={"Cache-Control": "no-store"})

    @router.get("/pairing/waiting", responses=refusals(ErrorBody))
    async def waiting(request: Request) -> WaitingAnswer:
        """Robots that nobody has confirmed, with their codes."""
        check_admin(request)
        robots = [
            WaitingRobot(
                robot_id=one.robot, code=one.code, address=one.address,
                expires_in_s=one.expires_in_s,
            )
            for one in gate.pairings.waiting()
        ]  # fmt: skip
        return WaitingAnswer(waiting=robots)

    @router.post("/pairing/confirm", response_model=ConfirmAnswer, responses=unknown)
    async def confirm(body: ConfirmBody, request: Request) -> Response:
        """Let in the robot that shows this code."""
        check_admin(request)
        try:
            robot = gate.pairings.confirm(body.code)
        except UnknownPairing as error:
            counters.count("pairings.wrong_code")
            return answer(error, 404)
        return JSONResponse({"robot_id": robot})

    return router


def _address_of(request: Request) -> str:
    return neighbourhood(request.client.host if request.client is not None else "")
