"""A user's side of a conversation: when to say the next thing, and what came of each. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.messages.robot import Duck, Flush, Ping, Transcript, TurnBegin, TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.events import Event, Happening, Linked
from robot_sim.microphone import Spoken
from robot_sim.scenario import Utterance
from robot_sim.speaker import Cue, Moment

FIRST_PAUSE_S = 1.0
"""How long the user waits before the first words; the hub gets to know the noise meanwhile."""
ANSWER_WITHIN_S = 15.0
"""A robot that has shown no sign of life for so long will not answer any more."""
IGNORED_FOR_S = 2.5
"""A robot that has shown no sign of life for so long does not answer what was not for it."""
_SECOND_NS = 1_000_000_000
_NO_ANSWER = (Outcome.REOPENED, Outcome.SUPERSEDED)
_SPOKEN_TO_THE_END = (Moment.ENDED, Moment.FLUSHED)


@dataclass
class Cut:
    """How an utterance interrupted turn ``turn``. ``ducked`` and ``flushed`` came while the
    user's voice was in the microphone."""

    turn: int
    ducked: bool = False
    flushed: bool = False
    outcome: Outcome | None = None


@dataclass
class Exchange:
    """One utterance and what came of it."""

    utterance: Utterance
    speaking: bool = True
    finals: dict[int, str] = field(default_factory=dict)
    turns: list[int] = field(default_factory=list)
    ends: list[TurnEnd] = field(default_factory=list)
    cut: Cut | None = None

    @property
    def understood(self) -> str:
        """The final transcripts, in the order in which they were spoken."""
        return " ".join(text for _, text in sorted(self.finals.items()) if text)

    @property
    def answer(self) -> TurnEnd | None:
        """The end of the turn that answered; None while there is none."""
        answers = [end for end in self.ends if end.outcome not in _NO_ANSWER]
        return answers[-1] if answers else None

    @property
    def answered(self) -> bool:
        return self.answer is not None and len(self.ends) == len(self.turns)


class Now(NamedTuple):
    """What the driver must know of this moment beside the events."""

    at_ns: int
    quiet: bool
    """Neither the user nor the robot has anything left to say."""
    played_ms: Callable[[int], float]


class Conversation:
    """Feeds on events; says what is spoken next, and when it is over.

    ``ends`` are all turns that ended, those that the robot began included.
    """

    def __init__(self, utterances: tuple[Utterance, ...], pause_s: float) -> None:
        self.exchanges: list[Exchange] = []
        self.ends: list[TurnEnd] = []
        self._utterances = utterances
        self._pause_ns = round(pause_s * _SECOND_NS)
        self._linked = False
        self._open: set[int] = set()
        self._sounding: int | None = None
        self._typed = False
        self._active_ns = 0

    def observe(self, event: Event) -> None:
        """Take note of an event."""
        what = event.what
        if isinstance(what, Ping):
            return
        self._active_ns = event.at_ns
        match what:
            case Linked():
                self._linked = True
            case Cue():
                over = what.moment in _SPOKEN_TO_THE_END
                self._sounding = None if over else what.played.turn
            case TurnEnd():
                self._ended(what)
            case Duck() | Flush():
                self._interrupted(what)
            case TurnBegin():
                self._open.add(what.turn)
        if self.exchanges:
            _note(self.exchanges[-1], what)

    def _ended(self, end: TurnEnd) -> None:
        self._open.discard(end.turn)
        self._typed = False
        self.ends.append(end)
        for exchange in self.exchanges:
            if end.turn in exchange.turns:
                exchange.ends.append(end)
            if exchange.cut is not None and exchange.cut.turn == end.turn:
                exchange.cut.outcome = end.outcome

    def _interrupted(self, what: Duck | Flush) -> None:
        exchange = self.exchanges[-1] if self.exchanges else None
        if exchange is None or exchange.cut is None or not exchange.speaking:
            return
        if isinstance(what, Duck):
            exchange.cut.ducked |= what.turn == exchange.cut.turn
        else:
            exchange.cut.flushed |= what.turn >= exchange.cut.turn

    def typed(self, at_ns: int) -> None:
        """The user has typed something: it is waited for until its turn ends."""
        self._typed = True
        self._active_ns = at_ns

    def next(self, now: Now) -> Utterance | None:
        """What the user says now; None while there is nothing to say, or no room for it."""
        if not self._linked or len(self.exchanges) == len(self._utterances):
            return None
        utterance = self._utterances[len(self.exchanges)]
        cut = self._cut_now(utterance, now)
        if cut is None and not self._settled(now):
            return None
        self.exchanges.append(Exchange(utterance, cut=cut))
        self._active_ns = now.at_ns
        return utterance

    def over(self, now: Now) -> bool:
        """Whether everything is said and answered."""
        return len(self.exchanges) == len(self._utterances) and self._settled(now)

    def _cut_now(self, utterance: Utterance, now: Now) -> Cut | None:
        """The turn to interrupt, if the robot has spoken for long enough in answer."""
        turn = self._sounding
        if utterance.interrupts is None or turn is None or not self.exchanges:
            return None
        mine = turn in self.exchanges[-1].turns and turn in self._open
        far_enough = now.played_ms(turn) >= utterance.interrupts * 1000
        return Cut(turn) if mine and far_enough else None

    def _settled(self, now: Now) -> bool:
        """Whether the last utterance is answered and the pause after it is over, or it never will
        be answered."""
        silent_ns = now.at_ns - self._active_ns
        if silent_ns >= ANSWER_WITHIN_S * _SECOND_NS:
            return True
        if not now.quiet or self._open or self._typed:
            return False
        if not self.exchanges and self._utterances:
            return silent_ns >= FIRST_PAUSE_S * _SECOND_NS
        last = self.exchanges[-1] if self.exchanges else None
        if last is not None and last.utterance.ignored:
            return not last.speaking and silent_ns >= IGNORED_FOR_S * _SECOND_NS
        return (last is None or last.answered) and silent_ns >= self._pause_ns


def _note(exchange: Exchange, what: Happening) -> None:
    """Add what happened to the utterance that was spoken last."""
    match what:
        case Spoken(began=False):
            exchange.speaking = False
        case Transcript(final=True):
            exchange.finals[what.utterance] = what.text
        case TurnBegin() if what.user_text and what.turn not in exchange.turns:
            exchange.turns.append(what.turn)
