"""What programs mean by when."""

from datetime import datetime, tzinfo

from hub.errors import BadRequest
from hub.reminders.wish import After


class BadMoment(BadRequest):
    """When something is due is not said, or twice, or cannot be meant."""

    code = "bad_moment"


def when_of(kind: str, in_s: int | None, at: datetime | None, zone: tzinfo | None) -> After | float:
    """When a reminder of ``kind`` is due: in ``in_s`` seconds, or ``at`` a moment, which is by the
    clock of ``zone`` (None: the machine's) unless it has an offset.

    Raises:
        BadMoment: neither or both are given, a timer has a moment, or no calendar knows it.
    """
    if (in_s is None) == (at is None) or (kind == "timer" and at is not None):
        raise BadMoment("give either in_s or at, and in_s for a timer")
    if in_s is not None:
        return After(in_s)
    assert at is not None
    try:
        return (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()
    except (OverflowError, ValueError, OSError) as error:
        raise BadMoment("at lies beyond what calendars know") from error
