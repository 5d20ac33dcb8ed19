"""Keeps timers and reminders, and has them said when they are due. Shell.

Each is said once: that it is about to be said is on the disk before a word of it is, so that a hub
that is killed in the middle does not begin anew (what was not heard of a turn is said by
``hub/session/leftovers.py``). What cannot be said, since the robot is away or busy, waits; what is
too late is dropped. Every one ends in a fate: it is logged, counted and written into the audit.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from datetime import tzinfo
from typing import NamedTuple, Protocol

import structlog

from hub.counters import Counters
from hub.errors import BadRequest
from hub.reminders import replies
from hub.reminders.reminder import (
    MAX_TEXT_CHARS,
    MOST,
    MOST_IN_ALL,
    Now,
    Reminder,
    Verdict,
    due,
    verdict,
    wait_s,
)
from hub.reminders.times import due_s
from hub.reminders.wish import After, Ask, At, Cancel, Set, Wish
from protocols.errors import HubError
from protocols.messages.turn import Outcome

LOOK_EVERY_S = 1.0
"""The wall clock may jump, and a robot become free, without anybody saying so."""
TRIES = 3
"""How often a voice that fails is asked again."""
KEPT_ENDS = 200

_OVER = frozenset({Outcome.DONE, Outcome.INTERRUPTED, Outcome.CANCELLED})

log = structlog.get_logger()


class TooManyReminders(BadRequest):
    """A robot has as many timers and reminders as it may."""

    code = "too_many_reminders"


class NeverDue(BadRequest):
    """A moment that has passed, or is too far away."""

    code = "never_due"


class Keeping(Protocol):
    """Whoever keeps them on the disk. All raise ``StoreFailed``."""

    async def load(self) -> tuple[Reminder, ...]:
        """All that have no fate yet."""

    async def put(self, reminder: Reminder) -> None:
        """Keep it, in place of what was kept under its id."""

    async def end(self, reminder: Reminder, fate: str) -> None:
        """Keep it no more; a line of the audit tells its fate."""


class Speaking(Protocol):
    """Whoever lets robots speak."""

    def is_free(self, robot: str) -> bool:
        """Whether it could say something at once: it is connected, and nobody speaks."""

    def connected(self) -> list[str]:
        """The robots that are connected."""

    async def remind(self, robot: str, text: str) -> str:
        """Say ``text``, as its user has asked for; the outcome, or why it was not said."""


class Ended(NamedTuple):
    """A reminder and its fate: said, late, missed, failed or deleted."""

    reminder: Reminder
    fate: str


class ReminderDesk:
    """See the module. ``wall`` gives seconds since 1970; ``zone_of`` a robot's time zone."""

    def __init__(
        self,
        keeping: Keeping,
        wall: Callable[[], float],
        zone_of: Callable[[str], tzinfo | None] = lambda robot: None,
        counters: Counters | None = None,
    ) -> None:
        self._keeping = keeping
        self._wall = wall
        self.zone_of = zone_of
        self._counters = counters or Counters()
        self._waiting: dict[str, Reminder] = {}
        self._speaking: set[str] = set()
        self._failures: dict[str, int] = {}
        self._ended: deque[Ended] = deque(maxlen=KEPT_ENDS)
        self._made: dict[str, tuple[int, str]] = {}
        """What each robot's user has set last, and in which turn."""
        self._changed = asyncio.Event()

    # what people want

    def now(self) -> Now:
        """This moment."""
        return Now(self._wall(), asyncio.get_running_loop().time())

    def of(self, robot: str) -> list[Reminder]:
        """A robot's timers and reminders, the next first."""
        now = self.now()
        mine = [each for each in self._waiting.values() if each.robot == robot]
        return sorted(mine, key=lambda each: (-each.late_s(now), each.id))

    def ended(self, robot: str) -> list[Ended]:
        """What became of a robot's others in this run of the hub, the latest first."""
        return [each for each in reversed(self._ended) if each.reminder.robot == robot]

    async def add(
        self, robot: str, when: After | At | float, text: str = "", kind: str = "reminder"
    ) -> Reminder:
        """Set one; a number is a moment in seconds since 1970.

        Raises:
            TooManyReminders: the robot has ``MOST`` already.
            NeverDue: the moment has passed, or is too far away.
            StoreFailed: it could not be written down, and is not set.
        """
        now, zone = self.now(), self.zone_of(robot)
        if isinstance(when, After | At):
            moment, seconds = due_s(when, now.wall_s, zone), getattr(when, "seconds", 0)
        else:
            ahead = After(round(when - now.wall_s))
            moment, seconds = (when if due_s(ahead, now.wall_s, zone) else None), 0
        if moment is None:
            raise NeverDue("the moment has passed, or is more than 400 days away")
        if len(self.of(robot)) >= MOST or len(self._waiting) >= MOST_IN_ALL:
            raise TooManyReminders(
                f"robot {robot} has {MOST} timers and reminders already, or the hub {MOST_IN_ALL}"
            )
        made = Reminder(
            secrets.token_hex(4), robot, kind, text[:MAX_TEXT_CHARS], moment, now.wall_s, seconds
        ).counting(now)
        self._waiting[made.id] = made
        try:
            await self._keeping.put(made)
        except HubError:
            self._waiting.pop(made.id, None)
            raise
        self._counters.count("reminders.set")
        self._changed.set()
        return made

    async def remove(self, robot: str, reminder_id: str) -> bool:
        """Forget one; False if the robot has none of this id.

        Raises:
            StoreFailed: it could not be forgotten.
        """
        found = self._waiting.get(reminder_id)
        if found is None or found.robot != robot:
            return False
        return await self._delete(found)

    async def answer(self, robot: str, wish: Wish, turn: int) -> str:
        """Do what a user wants; what is said to that. See ``hub.session.diary.Reminding``."""
        now, zone = self.now(), self.zone_of(robot)
        try:
            match wish:
                case Set(when=None):
                    return replies.unclear(wish)
                case Set(kind, when, what):
                    assert when is not None
                    made = await self.add(robot, when, what, kind)
                    self._made[robot] = turn, made.id
                    return replies.confirmed(made, now.wall_s, zone)
                case Cancel(kind):
                    mine = [each for each in self.of(robot) if each.kind == kind]
                    deleted = [await self._delete(each) for each in mine]
                    return replies.cancelled(wish, sum(deleted))
                case Ask(kind):
                    mine = [each for each in self.of(robot) if each.kind == kind]
                    return replies.listed(mine, kind, now, zone)
        except TooManyReminders:
            return replies.FULL
        except NeverDue:
            return replies.TOO_FAR

    async def take_back(self, robot: str, turn: int) -> None:
        """See ``hub.session.diary.Reminding``.

        Raises:
            StoreFailed: it could not be forgotten.
        """
        made_in, made = self._made.get(robot, (0, ""))
        if made_in == turn:
            await self.remove(robot, made)

    # what is due

    async def keep(self, speaking: Speaking) -> None:
        """Have said what falls due, for as long as the hub runs.

        Raises:
            StoreFailed: what was kept cannot be read.
        """
        await self._load()
        async with asyncio.TaskGroup() as tasks:
            while True:
                for each in due(self._waiting.values(), self.now()):
                    if each.robot in self._speaking:
                        continue
                    if verdict(each, self.now()) is Verdict.DROP:
                        await self._end_for_good(each, "missed")
                    elif speaking.is_free(each.robot):
                        self._speaking.add(each.robot)
                        tasks.create_task(self._say(each, speaking))
                await self._until_something_may_be_due()

    async def _load(self) -> None:
        now = self.now()
        for kept in await self._keeping.load():
            if kept.begun:
                await self._end_for_good(kept, "said")
            else:
                self._waiting[kept.id] = kept.counting(now)

    async def _until_something_may_be_due(self) -> None:
        self._changed.clear()
        wait = wait_s(self._waiting.values(), self.now(), LOOK_EVERY_S)
        try:
            async with asyncio.timeout(wait):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _say(self, reminder: Reminder, speaking: Speaking) -> None:
        late = verdict(reminder, self.now()) is Verdict.SAY_LATE
        zone = self.zone_of(reminder.robot)
        text = replies.told(reminder, late, zone)
        try:
            if reminder.id in self._waiting:
                await self._note(reminder._replace(begun=True))
            if reminder.id not in self._waiting:  # it was deleted meanwhile
                return
            try:
                outcome = await speaking.remind(reminder.robot, text)
            except HubError as error:
                outcome = error.code
            if reminder.id in self._waiting:  # it was not cancelled by what was said meanwhile
                await self._settle(reminder, outcome, late, speaking)
        finally:
            self._speaking.discard(reminder.robot)

    async def _settle(
        self, reminder: Reminder, outcome: str, late: bool, speaking: Speaking
    ) -> None:
        """What was said is over; anything else waits for the next look to be said again."""
        lost = outcome == Outcome.CANCELLED and reminder.robot not in speaking.connected()
        if outcome in _OVER and not lost:
            await self._end_for_good(reminder, "late" if late else "said")
            return
        self._counters.count(f"reminders.put_off.{outcome}")
        if outcome == Outcome.FAILED:
            self._failures[reminder.id] = self._failures.get(reminder.id, 0) + 1
            if self._failures[reminder.id] >= TRIES:
                await self._end_for_good(reminder, "failed")
                return
        await self._note(reminder)

    async def _note(self, reminder: Reminder) -> None:
        """Write it down; a full disk keeps nobody from being reminded."""
        try:
            await self._keeping.put(reminder)
        except HubError as error:
            self._counters.count("reminders.not_saved")
            log.error("reminder not saved", robot=reminder.robot, error=str(error))

    async def _end_for_good(self, reminder: Reminder, fate: str) -> None:
        """End it even if the disk cannot be told."""
        self._waiting.pop(reminder.id, None)
        try:
            await self._keeping.end(reminder, fate)
        except HubError as error:
            self._counters.count("reminders.not_saved")
            log.error("reminder not saved", robot=reminder.robot, error=str(error))
        self._tell_fate(reminder, fate)

    async def _delete(self, reminder: Reminder) -> bool:
        """Whether it was still there."""
        if self._waiting.pop(reminder.id, None) is None:
            return False
        try:
            await self._keeping.end(reminder, "deleted")
        except HubError:
            self._waiting[reminder.id] = reminder
            raise
        self._tell_fate(reminder, "deleted")
        return True

    def _tell_fate(self, reminder: Reminder, fate: str) -> None:
        self._failures.pop(reminder.id, None)
        self._changed.set()  # its robot may say the next one
        self._ended.append(Ended(reminder, fate))
        self._counters.count(f"reminders.{fate}")
        log.info("reminder over", robot=reminder.robot, id=reminder.id, fate=fate)
