"""``/robots/{robot_id}/reminders``: timers and reminders of a robot. What is due is said by
``hub/reminders/desk.py``."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from hub.edge.documented import refusal, refusals
from hub.edge.grants import robot_in
from hub.edge.http_errors import answer
from hub.edge.job_routes import ErrorBody
from hub.edge.services import EdgeServices
from hub.errors import StoreFailed
from hub.reminders.desk import ReminderDesk
from hub.reminders.moments import when_of
from hub.reminders.reminder import MAX_TEXT_CHARS, Reminder
from hub.reminders.times import MOST_S, local
from protocols.errors import HubError

RobotId = Annotated[str, Path(max_length=64)]
ReminderId = Annotated[str, Path(max_length=40)]
ReminderText = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=MAX_TEXT_CHARS, pattern=r"^[^\x00-\x1f\x7f]*$")
]  # fmt: skip
"""What a program may have a robot say, whichever way it asks."""


class UnknownReminder(HubError):
    """The robot has no timer or reminder of this id."""

    code = "unknown_reminder"


class NewReminder(BaseModel):
    """Body of ``POST …/reminders``. Either ``in_s``, in so many seconds, or ``at``: a moment; without
    an offset it is by the clock of the robot's time zone. A timer has ``in_s``."""

    kind: Literal["timer", "reminder"] = "reminder"
    text: ReminderText = ""
    in_s: Annotated[int, Field(ge=1, le=MOST_S)] | None = None
    at: datetime | None = None


class ReminderBody(BaseModel):
    """A timer or reminder. ``due`` has the offset of the robot's time zone; ``left_s`` is below 0
    while one that is late waits for its robot."""

    id: str
    kind: str
    text: str
    due: datetime
    left_s: float


class EndedBody(BaseModel):
    """One that is over: ``fate`` is said, late (said too late), missed, failed or deleted."""

    id: str
    kind: str
    text: str
    due: datetime
    fate: str


class RemindersBody(BaseModel):
    """Answer of ``GET …/reminders``: the next first, and what became of others in this run of the
    hub, the latest first."""

    reminders: list[ReminderBody]
    ended: list[EndedBody]


def reminder_router(services: EdgeServices) -> APIRouter:
    """The routes over ``services``, none where nobody keeps reminders."""
    router = APIRouter(tags=["robot"])
    desk = services.reminders
    if desk is not None:
        _add_routes(router, desk)
    return router


def _add_routes(router: APIRouter, desk: ReminderDesk) -> None:
    refused = refusals(ErrorBody, s400="The robot's id, or the moment, is not valid.")

    @router.post("/robots/{robot_id}/reminders", status_code=201, response_model=ReminderBody, responses=refused)  # fmt: skip
    async def add(
        robot_id: RobotId, body: NewReminder, request: Request
    ) -> ReminderBody | Response:
        """Have a robot say something later, even in its quiet hours."""
        robot = robot_in(request, robot_id)
        when = when_of(body.kind, body.in_s, body.at, desk.zone_of(robot))
        try:
            return _shown(desk, await desk.add(robot, when, body.text, body.kind))
        except StoreFailed as error:
            return answer(error, 503)

    @router.get("/robots/{robot_id}/reminders", responses=refused)
    async def listed(robot_id: RobotId, request: Request) -> RemindersBody:
        """A robot's timers and reminders."""
        robot = robot_in(request, robot_id)
        ended = [
            EndedBody(**_common(desk, each.reminder), fate=each.fate) for each in desk.ended(robot)
        ]
        return RemindersBody(reminders=[_shown(desk, r) for r in desk.of(robot)], ended=ended)

    @router.delete(
        "/robots/{robot_id}/reminders/{reminder_id}",
        status_code=204,
        response_class=Response,
        responses={**refused, 404: refusal(ErrorBody, "There is no such reminder.")},
    )
    async def remove(robot_id: RobotId, reminder_id: ReminderId, request: Request) -> Response:
        """Forget a timer or reminder."""
        try:
            found = await desk.remove(robot_in(request, robot_id), reminder_id)
        except StoreFailed as error:
            return answer(error, 503)
        if not found:
            return answer(UnknownReminder(f"there is no reminder {reminder_id!r}"), 404)
        return Response(status_code=204)


def _shown(desk: ReminderDesk, reminder: Reminder) -> ReminderBody:
    left_s = round(-reminder.late_s(desk.now()), 1)
    return ReminderBody(**_common(desk, reminder), left_s=left_s)


def _common(desk: ReminderDesk, reminder: Reminder) -> dict[str, Any]:
    return {
        "id": reminder.id,
        "kind": reminder.kind,
        "text": reminder.text,
        "due": local(reminder.wall_due_s(desk.now()), desk.zone_of(reminder.robot)),
    }
