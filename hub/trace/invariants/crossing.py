"""I7: nothing of robot A reaches a connection of robot B.

What is sent bears no robot, but a turn, an epoch and a session: each must be this robot's own, and
the samples of a turn come on a connection in one rising line.
"""

from collections.abc import Iterator

from hub.trace.entries import Closed, Fact, Opened, SpeechOut, Started, Told
from hub.trace.invariants.base import CONTENT, MAX_ROBOTS, Finding, Recent, Rules
from protocols.messages.robot import Action, Welcome
from protocols.messages.turn import TurnStarted


class Crossing:
    """See the module."""

    name = "I7"

    def __init__(self) -> None:
        self._robot_of: Recent[str, str] = Recent(MAX_ROBOTS)
        self._turn: Recent[str, int] = Recent(MAX_ROBOTS)
        self._sessions: dict[int, str] = {}
        self._ends: dict[int, tuple[int, int]] = {}
        self._sure = False

    @property
    def rules(self) -> Rules:
        return {
            Started: self._started,
            Opened: self._opened,
            Closed: self._closed,
            Fact: self._fact,
            TurnStarted: self._begun,
            Welcome: self._welcome,
            **dict.fromkeys(CONTENT, self._content),
            SpeechOut: self._spoke,
        }

    def hole(self) -> None:
        """Turns may have begun unseen."""
        self._sure = False
        self._ends.clear()

    def finish(self) -> Iterator[Finding]:
        yield from ()

    def _started(self, _: Started) -> None:
        self._sessions.clear()
        self._ends.clear()
        self._sure = True

    def _opened(self, entry: Opened) -> str | None:
        self._sessions[entry.connection] = entry.session
        return self._belongs(entry.session, entry.robot, "a connection")

    def _closed(self, entry: Closed) -> None:
        self._sessions.pop(entry.connection, None)
        self._ends.pop(entry.connection, None)

    def _fact(self, entry: Fact) -> str | None:
        if not entry.robot or self._robot_of.get(entry.session) == entry.robot:
            return None
        return self._belongs(entry.session, entry.robot, entry.topic)

    def _begun(self, entry: Fact) -> None:
        self._turn[entry.robot] = max(entry.turn, self._turn.get(entry.robot, 0))

    def _belongs(self, session: str, robot: str, what: str) -> str | None:
        if not session:
            return None
        owner = self._robot_of.get(session)
        if owner is None:
            self._robot_of[session] = robot
            return None
        return None if owner == robot else f"{what} of {robot} bears a session of {owner}"

    def _welcome(self, entry: Told) -> str | None:
        body = entry.body
        assert isinstance(body, Welcome)
        session = self._sessions.get(entry.connection, body.session)
        if body.session == session and body.epoch == entry.epoch:
            return None
        return f"the welcome is for another connection, of epoch {body.epoch}"

    def _content(self, entry: Told) -> str | None:
        body = entry.body
        assert isinstance(body, CONTENT)
        if isinstance(body, Action) and body.epoch > entry.epoch:
            return f"an action of epoch {body.epoch} was sent on one of epoch {entry.epoch}"
        return self._of_this_robot(entry.robot, body.turn, type(body).__name__.lower())

    def _spoke(self, entry: SpeechOut) -> str | None:
        if entry.frame_epoch != entry.epoch:
            return f"speech of epoch {entry.frame_epoch} was sent on a connection of {entry.epoch}"
        turn, first = entry.turn, entry.first_sample
        was_turn, end = self._ends.get(entry.connection, (0, 0))
        self._ends[entry.connection] = (turn, first + entry.samples)
        if turn == was_turn and first < end:
            return f"speech of turn {turn} goes back from sample {end} to {first}"
        if turn != was_turn:
            return self._of_this_robot(entry.robot, turn, "speech")
        return None

    def _of_this_robot(self, robot: str, turn: int, what: str) -> str | None:
        if not self._sure or turn <= self._turn.get(robot, 0):
            return None
        return f"{what} of turn {turn} was sent, which never began for this robot"
