"""When a wish is due, by the clock on the wall of the robot's time zone. Pure.

A time that a change of clocks leaves out counts as one hour later, and of one that comes twice the
first is meant (PEP 495, ``fold=0``).
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from hub.reminders.wish import DAYS, TODAY, TOMORROW, After, At

MOST_S = 400 * 86_400
"""Nothing is set for later than this."""
_MORNING, _AFTERNOON = range(7, 12), (12, *range(1, 7))
"""Which hours are meant by themselves, on a day that was named."""
_DAWN = 5
"""Until this hour it is the night of the day before."""


def due_s(when: After | At, now_s: float, zone: tzinfo | None) -> float | None:
    """The moment of ``when`` in seconds since 1970, where it is ``now_s``; ``zone`` None is the
    machine's own. None if it has passed today, or is too far away."""
    if isinstance(when, After):
        return now_s + when.seconds if 0 < when.seconds <= MOST_S else None
    here = local(now_s, zone)
    moments = (
        moment(day, time(hour, when.minute), zone)
        for hour in _hours(when)
        for day in _days(when, hour, here.date())
    )
    return min((found for found in moments if found > now_s), default=None)


def local(at_s: float, zone: tzinfo | None) -> datetime:
    """What calendar and clock show at ``at_s``; ``zone`` None is the machine's own."""
    return datetime.fromtimestamp(at_s, UTC).astimezone(zone)


def moment(day: date, clock: time, zone: tzinfo | None) -> float:
    """When it is ``clock`` on ``day`` in ``zone``."""
    return datetime.combine(day, clock, tzinfo=zone).timestamp()


def _days(when: At, hour: int, today: date) -> tuple[date, ...]:
    """The days that may be meant with ``hour``; tonight ends tomorrow."""
    tomorrow = today + timedelta(days=1)
    if when.day == TOMORROW:
        return (tomorrow,)
    if when.day in DAYS:
        ahead = (DAYS.index(when.day) - today.weekday()) % 7
        return (today + timedelta(days=ahead), today + timedelta(days=ahead + 7))
    small_hours = hour < _DAWN and (when.half == "night" or when.hour == 0)
    return (today,) if when.day == TODAY and not small_hours else (today, tomorrow)


def _hours(when: At) -> tuple[int, ...]:
    """The hours of a day that may be meant."""
    hour = when.hour
    if hour == 0 or hour > 12:
        return (hour,)
    if when.half == "night":
        return ((hour + 12) % 24,) if hour >= 6 else (hour,)
    if when.half:
        return (hour % 12 + 12 * (when.half == "pm"),)
    if when.day and when.day != TODAY:
        return (hour,) if hour in (*_MORNING, 12) else (hour + 12,)
    return (hour % 12, hour % 12 + 12)
