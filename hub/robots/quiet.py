"""Quiet hours: when a robot does not begin to speak by itself. Pure.

They are read off the clock on the wall, so that a change of clocks makes a night an hour longer or
shorter and moves neither end of it.
"""

import re
from datetime import time
from typing import NamedTuple

_FORM = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)")


class QuietHours(NamedTuple):
    """From ``start`` to ``end``, which may be in the morning of the next day."""

    start: time
    end: time

    def cover(self, clock: time) -> bool:
        """Whether ``clock`` lies in them; ``start`` does, ``end`` does not."""
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def quiet_hours_of(text: str) -> QuietHours:
    """Read "21:00-07:00".

    Raises:
        ValueError: it is written otherwise, or has no length.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError('must be two times like "21:00-07:00"')
    hours = [int(part) for part in found.groups()]
    start, end = time(hours[0], hours[1]), time(hours[2], hours[3])
    if start == end:
        raise ValueError("must begin and end at different times")
    return QuietHours(start, end)
