"""What a robot says of timers and reminders: pure, English."""

from collections.abc import Sequence
from datetime import tzinfo

from hub.reminders.durations import spoken_number
from hub.reminders.reminder import Now, Reminder
from hub.reminders.times import local
from hub.reminders.wish import Cancel, Set

FULL = "I cannot keep any more of those. Cancel one first."
TOO_FAR = "I cannot remind you of something that has passed, or that is so far away."
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def unclear(wish: Set) -> str:
    """What is missing in a wish without a time, or without a matter."""
    if wish.kind == "timer":
        return "For how long? Say, for example: set a timer for five minutes."
    matter = wish.what or "feed the cat"
    return f"When? Say, for example: remind me at six to {matter}."


def confirmed(made: Reminder, now_s: float, zone: tzinfo | None) -> str:
    """That it is set."""
    to = f" to {made.text}" if made.text else ""
    if made.kind == "timer":
        return f"Your timer is running: {spoken_duration(made.seconds)}{to}."
    when = (
        f"in {spoken_duration(made.seconds)}"
        if made.seconds
        else spoken_time(made.due_s, now_s, zone)
    )
    if not made.text:
        return f"All right, your alarm will ring {when}."
    return f"All right, I will remind you {when}: {made.text}."


def told(reminder: Reminder, late: bool, zone: tzinfo | None) -> str:
    """What is said when it is due."""
    if reminder.kind == "timer":
        over = f"Your timer for {spoken_duration(reminder.seconds)} is over"
        to = f" It was to {reminder.text}." if reminder.text else ""
        return f"{over}, and I am late to say so.{to}" if late else f"Time is up! {over}.{to}"
    what = reminder.text or "this is your alarm"
    if late:
        return f"I am late with this, it was for {_clock(reminder.due_s, zone)}: {what}."
    return f"I was to remind you: {what}." if reminder.text else "This is your alarm."


def listed(reminders: Sequence[Reminder], kind: str, now: Now, zone: tzinfo | None) -> str:
    """What there is of one kind, the next first."""
    if not reminders:
        return f"You have no {kind} set."
    parts = []
    for each in reminders[:3]:
        left = spoken_duration(max(1.0, -each.late_s(now)))
        if each.kind == "timer":
            parts.append(f"{left} left" + (f" to {each.text}" if each.text else ""))
        else:
            when = f"in {left}" if each.seconds else spoken_time(each.due_s, now.wall_s, zone)
            parts.append(f"{each.text or 'your alarm'}, {when}")
    more = len(reminders) - len(parts)
    rest = f"; and {spoken_number(more)} more" if more else ""
    plural = f"{kind}s" if len(reminders) > 1 else kind
    return f"Your {plural}: {'; '.join(parts)}{rest}."


def cancelled(wish: Cancel, number: int) -> str:
    """How many there were."""
    if not number:
        return f"There is no {wish.kind} to cancel."
    if number == 1:
        return f"Your {wish.kind} is cancelled."
    return f"I have cancelled {spoken_number(number)} {wish.kind}s."


def spoken_duration(seconds: float) -> str:
    """ "five minutes", "one hour and 30 minutes": the two largest units of whole seconds."""
    left, parts = max(1, round(seconds)), []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{spoken_number(count)} {unit}{'s' if count > 1 else ''}")
    return " and ".join(parts[:2])


def spoken_time(at_s: float, now_s: float, zone: tzinfo | None) -> str:
    """ "at six in the evening", "tomorrow at 8:30 in the morning", "on Monday at …"."""
    at, now = local(at_s, zone), local(now_s, zone)
    days = (at.date() - now.date()).days
    clock = f"at {_clock(at_s, zone)}"
    if days == 0:
        return clock
    if days == 1:
        return f"tomorrow {clock}"
    return f"on {at:%A} {clock}" if days < 7 else f"on {at:%B} {at.day} {clock}"


def _clock(at_s: float, zone: tzinfo | None) -> str:
    at = local(at_s, zone)
    if (at.hour, at.minute) in ((0, 0), (12, 0)):
        return "midnight" if at.hour == 0 else "noon"
    hour = at.hour % 12 or 12
    said = f"{hour}:{at.minute:02}" if at.minute else spoken_number(hour)
    if at.hour < 5 or at.hour >= 22:
        return f"{said} at night"
    part = "morning" if at.hour < 12 else "afternoon" if at.hour < 18 else "evening"
    return f"{said} in the {part}"
