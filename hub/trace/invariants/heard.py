"""I11: heard ⊆ sent: what counts as played was sent to this robot for this turn."""

from collections.abc import Iterator

from hub.trace.entries import Fact, Opened, Said, SpeechOut, Started
from hub.trace.invariants.base import MAX_ROBOTS, MAX_TURNS, Finding, Recent, Rules
from protocols.messages.robot import Played
from protocols.messages.speech import SpeechPlayed
from protocols.messages.turn import TurnEnded, TurnStarted


class _Sent:
    """How far the speech of each turn of a robot was sent; a turn is in it from its beginning."""

    __slots__ = ("ends", "rate_hz")

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.ends: Recent[int, int] = Recent(MAX_TURNS)


class Heard:
    """See the module. Turns whose beginning was not seen are not judged."""

    name = "I11"

    def __init__(self) -> None:
        self._robots: Recent[str, _Sent] = Recent(MAX_ROBOTS)

    @property
    def rules(self) -> Rules:
        return {
            Started: self._started,
            Opened: self._opened,
            TurnStarted: self._begun,
            SpeechOut: self._spoke,
            Played: self._acknowledged,
            SpeechPlayed: self._claimed,
            TurnEnded: self._claimed,
        }

    def hole(self) -> None:
        """More may have been sent than was seen."""
        for sent in self._robots.values():
            sent.ends.clear()

    def finish(self) -> Iterator[Finding]:
        yield from ()

    def _started(self, _: Started) -> None:
        self.hole()

    def _opened(self, entry: Opened) -> None:
        sent = self._robots.get(entry.robot)
        if sent is None:
            self._robots[entry.robot] = _Sent(entry.rate_hz)
        else:
            sent.rate_hz = entry.rate_hz

    def _spoke(self, entry: SpeechOut) -> None:
        sent = self._robots.get(entry.robot)
        if sent is None or entry.turn not in sent.ends:
            return
        end = entry.first_sample + entry.samples
        if end > sent.ends[entry.turn]:
            sent.ends[entry.turn] = end

    def _acknowledged(self, entry: Said) -> str | None:
        body = entry.body
        assert isinstance(body, Played)
        end = self._end(entry.robot, body.turn)
        if end is None or body.samples <= end or body.epoch != entry.epoch:
            return None
        return f"{body.samples} samples of turn {body.turn} were acknowledged, {end} were sent"

    def _begun(self, entry: Fact) -> None:
        sent = self._robots.get(entry.robot)
        if sent is not None:
            sent.ends[entry.turn] = sent.ends.get(entry.turn, 0)

    def _claimed(self, entry: Fact) -> str | None:
        body = entry.body
        assert isinstance(body, SpeechPlayed | TurnEnded)
        end, played_ms = self._end(entry.robot, entry.turn), body.played_ms
        if end is None:
            return None
        sent_ms = -(-end * 1000 // self._robots[entry.robot].rate_hz)
        if played_ms <= sent_ms:
            return None
        return f"{entry.topic} says that {played_ms} ms were played, {sent_ms} ms were sent"

    def _end(self, robot: str, turn: int) -> int | None:
        sent = self._robots.get(robot)
        return sent.ends.get(turn) if sent is not None else None
