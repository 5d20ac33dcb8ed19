"""I2: at most one live epoch per robot; epochs only rise, over runs of the hub too."""

from collections.abc import Iterator

from hub.trace.entries import Closed, Opened, Said, SpeechOut, Started, Told
from hub.trace.invariants.base import MAX_ROBOTS, Finding, Recent, Rules


class Epochs:
    """See the module."""

    name = "I2"

    def __init__(self) -> None:
        self._last: Recent[str, int] = Recent(MAX_ROBOTS)
        self._owner: dict[str, int] = {}
        self._sure = True

    @property
    def rules(self) -> Rules:
        return {
            Started: self._started,
            Opened: self._opened,
            Closed: self._closed,
            Told: self._used,
            Said: self._used,
            SpeechOut: self._used,
        }

    def hole(self) -> None:
        """Who owns what is to be learned again."""
        self._sure = False
        self._owner.clear()

    def finish(self) -> Iterator[Finding]:
        yield from ()

    def _started(self, _: Started) -> None:
        self._owner.clear()
        self._sure = True

    def _opened(self, entry: Opened) -> str | None:
        robot, epoch = entry.robot, entry.epoch
        last, owner = self._last.get(robot, 0), self._owner.get(robot)
        self._last[robot] = max(epoch, last)
        self._owner[robot] = entry.connection
        if epoch <= last:
            return f"connection {entry.connection} was given epoch {epoch} after epoch {last}"
        if owner is not None:
            return f"connection {entry.connection} was opened while {owner} was live"
        return None

    def _closed(self, entry: Closed) -> None:
        if self._owner.get(entry.robot) == entry.connection:
            del self._owner[entry.robot]

    def _used(self, entry: Told | Said | SpeechOut) -> str | None:
        owner = self._owner.get(entry.robot)
        if owner == entry.connection:
            return None
        if not self._sure and owner is None:
            self._owner[entry.robot] = entry.connection
            return None
        what = "has none" if owner is None else f"belongs to connection {owner}"
        return f"connection {entry.connection} is used, and the robot {what}"
