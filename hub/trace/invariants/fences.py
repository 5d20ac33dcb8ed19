"""I1: after a sink has acknowledged fence g, no sample, action or face change ≤ g reaches it.

For what leaves the hub a fence holds from the moment it is sent on a connection; one that a robot
acknowledged holds on its later connections too.
"""

from collections.abc import Iterator

from hub.trace.entries import Closed, Said, SpeechOut, Started, Told
from hub.trace.invariants.base import MAX_ROBOTS, Finding, Recent, Rules
from protocols.messages.robot import Action, Emotion, Flush, Flushed, Gestures


class Fences:
    """See the module."""

    name = "I1"

    def __init__(self) -> None:
        self._sent: dict[int, int] = {}
        self._acknowledged: Recent[str, int] = Recent(MAX_ROBOTS)

    @property
    def rules(self) -> Rules:
        return {
            Started: self._started,
            Closed: self._closed,
            Flush: self._flush,
            Flushed: self._flushed,
            Emotion: self._content,
            Gestures: self._content,
            Action: self._content,
            SpeechOut: self._spoke,
        }

    def hole(self) -> None:
        """A fence that was not seen only makes this less strict."""

    def finish(self) -> Iterator[Finding]:
        yield from ()

    def _started(self, _: Started) -> None:
        self._sent.clear()

    def _closed(self, entry: Closed) -> None:
        self._sent.pop(entry.connection, None)

    def _flush(self, entry: Told) -> None:
        assert isinstance(entry.body, Flush)
        was = self._sent.get(entry.connection, 0)
        self._sent[entry.connection] = max(was, entry.body.turn)

    def _flushed(self, entry: Said) -> None:
        assert isinstance(entry.body, Flushed)
        was = self._acknowledged.get(entry.robot, 0)
        # A robot cannot acknowledge what it was not asked for.
        asked = min(entry.body.turn, self._sent.get(entry.connection, 0))
        self._acknowledged[entry.robot] = max(was, asked)

    def _content(self, entry: Told) -> str | None:
        body = entry.body
        assert isinstance(body, Emotion | Gestures | Action)
        fence = self._sent.get(entry.connection, 0)
        if body.turn > fence or body.turn == 0:  # a mood between turns, "louder": of no turn
            return None
        kind = type(body).__name__.lower()
        return f"{kind} of turn {body.turn} was sent behind the fence ≤ {fence}"

    def _spoke(self, entry: SpeechOut) -> str | None:
        turn = entry.turn
        if turn <= self._sent.get(entry.connection, 0):
            fence = self._sent[entry.connection]
            return f"speech of turn {turn} was sent behind the fence ≤ {fence}"
        if turn <= self._acknowledged.get(entry.robot, 0):
            fence = self._acknowledged[entry.robot]
            return f"speech of turn {turn} was sent, and the robot had flushed all ≤ {fence}"
        return None
