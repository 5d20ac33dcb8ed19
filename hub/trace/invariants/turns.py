"""I12: a turn has exactly one terminal event, and no content after it."""

from collections.abc import Iterator

from hub.session.link import DRAINING
from hub.trace.entries import Closed, Command, Fact, SpeechOut, Started, Stopped, Told
from hub.trace.invariants.base import CONTENT, MAX_ROBOTS, MAX_TURNS, Finding, Recent, Rules
from protocols.messages.speech import SpeechRequest
from protocols.messages.turn import (
    ResponseDelta,
    ResponseDone,
    ResponseMeta,
    TurnEnded,
    TurnStart,
    TurnStarted,
)


class _Life:
    """A robot's turns: the live ones by the entry that began them, those that ended lately, and
    which planners have finished them."""

    __slots__ = ("done", "ended", "live", "order")

    def __init__(self) -> None:
        self.live: dict[int, int] = {}
        self.ended: Recent[int, str] = Recent(MAX_TURNS)
        self.done: Recent[tuple[str, int], None] = Recent(MAX_TURNS)
        self.order = 0
        """The highest number of a message to the robot: what comes again below it is a replay."""


class Turns:
    """See the module."""

    name = "I12"

    def __init__(self) -> None:
        self._lives: Recent[str, _Life] = Recent(MAX_ROBOTS)
        self._sure = False
        self._stopped = False

    @property
    def rules(self) -> Rules:
        return {
            Started: self._started,
            Stopped: self._ended_in_order,
            Closed: self._closed,
            TurnStarted: self._begins,
            TurnEnded: self._ends,
            ResponseMeta: self._says,
            ResponseDelta: self._says,
            ResponseDone: self._said_all,
            TurnStart: self._command,
            SpeechRequest: self._command,
            Told: self._told,
            SpeechOut: self._spoke,
        }

    def hole(self) -> None:
        """Turns may have begun or ended unseen."""
        self._sure = False
        for life in self._lives.values():
            life.live.clear()

    def finish(self) -> Iterator[Finding]:
        """Turns that never ended; a hub that was killed had no chance to end them."""
        if not self._stopped:
            return
        for robot, life in self._lives.items():
            for turn, entry in life.live.items():
                yield Finding(robot, f"turn {turn} never ended", entry)

    def _started(self, _: Started) -> None:
        self._sure, self._stopped = True, False
        for life in self._lives.values():
            life.live.clear()
            life.order = 0

    def _ended_in_order(self, _: Stopped) -> None:
        self._stopped = True

    def _closed(self, entry: Closed) -> None:
        """A robot that is sent away keeps its turn: the next run of the hub ends it."""
        if entry.code == DRAINING:
            self._life(entry.robot).live.clear()

    def _life(self, robot: str) -> _Life:
        life = self._lives.get(robot)
        if life is None:
            life = self._lives[robot] = _Life()
        return life

    def _begins(self, entry: Fact) -> str | None:
        life = self._life(entry.robot)
        turn = entry.turn
        again = turn in life.live or turn in life.ended
        others = [t for t in life.live if t != turn]
        life.live[turn] = entry.n
        if again:
            return f"turn {turn} was started twice"
        if others:
            return f"turn {turn} was started while turn {others[0]} was live"
        return None

    def _ends(self, entry: Fact) -> str | None:
        life = self._life(entry.robot)
        turn, body = entry.turn, entry.body
        assert isinstance(body, TurnEnded)
        before = life.ended.get(turn)
        life.live.pop(turn, None)
        life.ended[turn] = body.outcome
        if before is not None:
            return f"turn {turn} ended as {body.outcome}, and had ended as {before}"
        return None

    def _says(self, entry: Fact) -> str | None:
        life = self._life(entry.robot)
        if (entry.src, entry.turn) in life.done:
            return f"{entry.topic} of turn {entry.turn} came after its response was done"
        return None

    def _said_all(self, entry: Fact) -> str | None:
        life = self._life(entry.robot)
        again = (entry.src, entry.turn) in life.done
        life.done[entry.src, entry.turn] = None
        return f"the response of turn {entry.turn} was done twice" if again else None

    def _command(self, entry: Command) -> str | None:
        return self._after_the_end(self._life(entry.robot), entry.turn, entry.topic)

    def _told(self, entry: Told) -> str | None:
        body = entry.body
        order = getattr(body, "order", 0)
        if order:
            life = self._life(entry.robot)
            if order <= life.order:
                return None
            life.order = order
        if isinstance(body, CONTENT):
            what = type(body).__name__.lower()
            return self._after_the_end(self._life(entry.robot), body.turn, what)
        return None

    def _spoke(self, entry: SpeechOut) -> str | None:
        life = self._lives.get(entry.robot)
        if life is None or entry.turn not in life.ended:
            return None
        return self._after_the_end(life, entry.turn, "speech")

    def _after_the_end(self, life: _Life, turn: int, what: str) -> str | None:
        outcome = life.ended.get(turn)
        if outcome is None:
            return None
        return f"{what} of turn {turn} was sent after its end as {outcome}"
