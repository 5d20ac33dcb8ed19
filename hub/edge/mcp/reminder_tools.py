"""The tools of timers and reminders, so that a model may set what no table of phrases understands."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from hub.edge.mcp.robot_tools import OfRobot, robot_meant
from hub.edge.mcp.tool import Answer, BadArguments, Call, Tool
from hub.edge.reminder_routes import ReminderText
from hub.edge.rights import Right
from hub.reminders.desk import ReminderDesk
from hub.reminders.moments import when_of
from hub.reminders.reminder import Reminder
from hub.reminders.times import MOST_S, local
from hub.session.view import Views


class NewReminder(OfRobot):
    """Arguments of ``set_reminder``."""

    kind: Literal["timer", "reminder"] = "reminder"
    text: ReminderText = Field(default="", description="What is to be done then.")
    in_s: int | None = Field(
        default=None, ge=1, le=MOST_S, description="In so many seconds; a timer has this."
    )
    at: datetime | None = Field(
        default=None, description="At this moment instead; without an offset by the robot's clock."
    )


class OneReminder(OfRobot):
    """Arguments of ``cancel_reminder``."""

    id: str = Field(min_length=1, max_length=40)


class ReminderTools:
    """The tools over whoever keeps reminders; none without anybody."""

    def __init__(self, desk: ReminderDesk | None, views: Views) -> None:
        self._desk, self._views = desk, views

    def all(self) -> tuple[Tool, ...]:
        """The tools."""
        if self._desk is None:
            return ()
        sets = "Let a robot say something later: a timer, or a reminder. It says so in time."
        lists = "The timers and reminders of a robot, the next first."
        cancels = "Forget one of a robot's timers or reminders."
        robot = Right.ROBOT
        return (
            Tool("set_reminder", sets, NewReminder, robot, self._set),
            Tool("get_reminders", lists, OfRobot, robot, self._listed, acts=False),
            Tool("cancel_reminder", cancels, OneReminder, robot, self._cancel),
        )

    @property
    def _kept(self) -> ReminderDesk:
        assert self._desk is not None
        return self._desk

    async def _set(self, wanted: NewReminder, call: Call) -> Answer:
        robot = robot_meant(self._views, wanted.robot_id, call)
        zone = self._kept.zone_of(robot)
        when = when_of(wanted.kind, wanted.in_s, wanted.at, zone)
        return Answer.of(self._told(await self._kept.add(robot, when, wanted.text, wanted.kind)))

    async def _listed(self, wanted: OfRobot, call: Call) -> Answer:
        robot = robot_meant(self._views, wanted.robot_id, call)
        found = [self._told(each) for each in self._kept.of(robot)]
        return Answer.of({"reminders": found, "count": len(found)})

    async def _cancel(self, wanted: OneReminder, call: Call) -> Answer:
        robot = robot_meant(self._views, wanted.robot_id, call)
        if not await self._kept.remove(robot, wanted.id):
            raise BadArguments(f"id: robot {robot} has no reminder {wanted.id!r}")
        return Answer.of({"robot_id": robot, "cancelled": wanted.id})

    def _told(self, reminder: Reminder) -> dict[str, Any]:
        now = self._kept.now()
        due = local(reminder.wall_due_s(now), self._kept.zone_of(reminder.robot))
        return {
            "robot_id": reminder.robot,
            "id": reminder.id,
            "kind": reminder.kind,
            "text": reminder.text,
            "due": due.isoformat(timespec="seconds"),
            "left_s": round(-reminder.late_s(now), 1),
        }
