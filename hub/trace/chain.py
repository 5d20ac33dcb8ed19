"""What led to an entry: back through what the hub was acting on, and across processes by cause."""

from collections import deque

from hub.trace.describe import describe
from hub.trace.entries import Command, Depth, Entry, Fact, MicIn, SpeechIn, SpeechOut, Started

KEPT = 4_096
"""Entries that are remembered as possible causes."""
LONGEST = 24

_NEVER_A_CAUSE = frozenset({SpeechOut, SpeechIn, MicIn, Depth})


class Causes:
    """The latest entries. To remember one is cheap; to look for a cause reads through them all."""

    def __init__(self, kept: int = KEPT) -> None:
        self._entries: deque[Entry] = deque(maxlen=kept)

    def keep(self, entry: Entry) -> None:
        """Remember an entry."""
        kind = type(entry)
        if kind is Started:
            self._entries.clear()
        if kind not in _NEVER_A_CAUSE:
            self._entries.append(entry)

    def entry(self, n: int) -> Entry | None:
        """The entry of that number, if it is still known."""
        return next((e for e in reversed(self._entries) if e.n == n), None)

    def causes(self, entry: Entry) -> tuple[Entry, ...]:
        """``entry`` and what led to it, latest first."""
        found = [entry]
        while len(found) < LONGEST and (earlier := self._cause(found[-1])) is not None:
            found.append(earlier)
        return tuple(found)

    def chain(self, entry: Entry) -> tuple[str, ...]:
        """``causes`` as lines."""
        return tuple(describe(one) for one in self.causes(entry))

    def _cause(self, entry: Entry) -> Entry | None:
        cause = self.entry(entry.by) if entry.by else None
        if cause is None and isinstance(entry, Fact | Command) and entry.cause:
            cause = self._message(entry.cause)
        return cause if cause is not None and cause.n < entry.n else None

    def _message(self, message_id: int) -> Entry | None:
        """The fact or command of that id."""
        for entry in reversed(self._entries):
            if isinstance(entry, Fact | Command) and entry.id == message_id:
                return entry
        return None
