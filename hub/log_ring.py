"""The end of the hub's own log, in memory, for administrators who look at it from afar.

What people say is in no log of the hub; and what a line holds beyond names and numbers is not kept
here, so that a line which says more than it should says it on the hub's machine alone.
"""

import re
import threading
from collections import deque
from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple

MOST_LINES = 1_000
MOST_CHARS = 200
"""Longest text of one value."""
_WORDS = frozenset(
    {"text", "user_text", "response_text", "heard_text", "transcript", "prompt", "said", "words"}
)
_REQUEST, _FAILED = "request", 400
"""Requests that were answered are left out: whoever looks at the log asks all the time."""
_HEAD = frozenset({"event", "level", "timestamp", "exception"})
_GUTTER = re.compile(r"^ +[|+] ", re.MULTILINE)
"""Before each line of an exception group."""

Value = str | int | float | bool


class LogLine(NamedTuple):
    """A line: ``n`` numbers them from 1, ``at`` is UTC (ISO 8601)."""

    n: int
    at: str
    level: str
    event: str
    keys: dict[str, Value]


class LogRing:
    """A processor of structlog that keeps the last lines. Threads log, too."""

    def __init__(self, most: int = MOST_LINES) -> None:
        self._lines: deque[LogLine] = deque(maxlen=most)
        self._count = 0
        self._lock = threading.Lock()

    def __call__(
        self, logger: Any, method: str, event: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        """Keep ``event``, and hand it on as it is."""
        if event.get("event") == _REQUEST and event.get("status", _FAILED) < _FAILED:
            return event
        keys = {
            name: _value(value)
            for name, value in event.items()
            if name not in _HEAD and name not in _WORDS
        }
        if failure := _failure(event):
            keys["failure"] = failure
        with self._lock:
            self._count += 1
            line = LogLine(
                self._count,
                str(event.get("timestamp", "")),
                str(event.get("level", method)),
                str(event.get("event", ""))[:MOST_CHARS],
                keys,
            )
            self._lines.append(line)
        return event

    def after(self, n: int, most: int) -> list[LogLine]:
        """The last ``most`` lines that came after line ``n``, the oldest first."""
        with self._lock:
            found = [line for line in self._lines if line.n > n]
        return found[-most:] if most > 0 else []


def _value(value: object) -> Value:
    return value if isinstance(value, bool | int | float) else str(value)[:MOST_CHARS]


def _failure(event: Mapping[str, Any]) -> str:
    """Which exception it was, without what it says, on however many lines: that may quote what
    somebody sent."""
    text = _GUTTER.sub("", str(event.get("exception") or ""))
    behind = text.rpartition("Traceback (most recent call last)")[2]
    raised = next((line for line in behind.splitlines() if line[:1].isalpha()), "")
    return raised.partition(":")[0][:MOST_CHARS]
