"""The invariants, as far as they can be seen from outside: at loudspeakers, bodies and wires.

A ``Watch`` is told what happens at both ends of everything and says what must not have happened.
I1 to I3, I5, I7, I11 and I12 are judged on facts as well, by the hub's own monitor.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from protocols.messages.robot import (
    Action,
    Flush,
    FromRobot,
    SpeechFrame,
    SpeechText,
    ToRobot,
    Transcript,
    TurnBegin,
    TurnEnd,
    Welcome,
)
from protocols.messages.turn import Exchange
from tests.simulation.engines import WORD_MS, Words
from tests.simulation.plan import NAMES
from tests.simulation.story import Story

_SHOWN = 80
ESTIMATE_MS = 300
"""How far the hub may be ahead of the loudspeaker when it says what was heard: the estimate
between two acknowledgements, and the tolerance of a word's end."""


class Sink:
    """One robot as the world sees it: what left its loudspeaker and what its body did."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fenced = 0
        self.flushed = 0
        self.sounded_ms: Counter[str] = Counter()
        self.epochs: list[int] = []
        self.received_at: dict[str, int] = {}
        self.begun: set[str] = set()
        self.answered: list[TurnEnd] = []
        self.ends: Counter[int] = Counter()


class Watch:
    """Judges while the world runs; ``story`` takes the violations."""

    def __init__(self, story: Story, words: Words) -> None:
        self.story = story
        self.words = words
        self.sinks: dict[str, Sink] = defaultdict(lambda: Sink(""))
        self.committed: dict[str, dict[int, Exchange]] = defaultdict(dict)
        self._last_epoch: Counter[str] = Counter()
        self._live_epoch: Counter[str] = Counter()

    def add(self, robot: str) -> Sink:
        sink = self.sinks[robot] = Sink(robot)
        return sink

    # at the hub's end of a robot's wire

    def told(self, robot: str, epoch: int, fenced: int, message: ToRobot) -> None:
        """The hub sends ``message`` to the connection of ``epoch``, fenced up to ``fenced``."""
        match message:
            case Welcome():
                if message.epoch <= self._last_epoch[robot]:
                    given = f"epoch {message.epoch} was given after {self._last_epoch[robot]}"
                    self.story.violated("I2", robot, given)
                self._last_epoch[robot] = max(self._last_epoch[robot], message.epoch)
                self._live_epoch[robot] = message.epoch
            case Flush():
                pass
            case _ if epoch and epoch < self._live_epoch[robot]:
                kind = type(message).__name__
                self.story.violated("I2", robot, f"{kind} was sent to replaced epoch {epoch}")
        if isinstance(message, SpeechText | Action) and 0 < message.turn <= fenced:
            kind = type(message).__name__
            self.story.violated("I1", robot, f"{kind} of turn {message.turn} after fence {fenced}")
        for text in _texts(message):
            self._check_owner(robot, text, type(message).__name__)

    def sent_speech(self, robot: str, epoch: int, fenced: int, header: SpeechFrame) -> None:
        """The hub sends a frame of speech to the connection of ``epoch``."""
        if header.turn <= fenced:
            late = f"speech of turn {header.turn} was sent after fence {fenced}"
            self.story.violated("I1", robot, late)
        if epoch < self._live_epoch[robot]:
            self.story.violated("I2", robot, f"speech was sent to replaced epoch {epoch}")

    # at the robot

    def sounded(self, robot: str, samples: Sequence[int], ms: int) -> None:
        """``samples``, ``ms`` apart, have left the loudspeaker."""
        sink = self.sinks[robot]
        for sample in samples:
            word = self.words.heard(sample)
            if not word:
                continue
            sink.sounded_ms[word] += ms
            if sink.sounded_ms[word] == ms:
                self.story.note(robot, f"sounds {word}")
            owner = self.words.robot_of.get(word, robot)
            if owner != robot:
                self.story.violated("I7", robot, f"{owner}'s word {word!r} sounds at {robot}")
            turn = self.words.turn_of.get(word, 0)
            if 0 < turn <= sink.fenced:
                late = f"{word!r} of turn {turn} sounds after fence {sink.fenced} was acknowledged"
                self.story.violated("I1", robot, late)

    def acknowledged(self, robot: str, turn: int) -> None:
        """The robot has told that it flushed everything up to ``turn``."""
        self.sinks[robot].fenced = max(self.sinks[robot].fenced, turn)

    def action_came(self, robot: str, action: Action, now_ns: int) -> None:
        self.sinks[robot].received_at.setdefault(action.id, now_ns)

    def action_began(self, robot: str, action: Action, now_ns: int) -> None:
        sink = self.sinks[robot]
        if action.id in sink.begun:
            self.story.violated("I5", robot, f"action {action.id} is done a second time")
        sink.begun.add(action.id)
        age_ms = (now_ns - sink.received_at[action.id]) / 1e6
        if age_ms > action.ttl_ms:
            self.story.violated("I5", robot, f"action {action.id} is done after {age_ms:.0f} ms")
        if 0 < action.turn <= sink.fenced:
            late = f"action of turn {action.turn} is done after fence {sink.fenced}"
            self.story.violated("I1", robot, late)

    def received(self, robot: str, message: ToRobot) -> None:
        """A robot has received a control message."""
        if isinstance(message, TurnEnd):
            self._check_heard(robot, message)
            self.sinks[robot].answered.append(message)

    def _check_heard(self, robot: str, end: TurnEnd) -> None:
        sounded = self.sinks[robot].sounded_ms
        heard = [w for w in map(_plain, end.heard_text.split()) if w in self.words.robot_of]
        early = [w for w in heard if sounded[w] < WORD_MS * 3 // 4]
        allowed = -(-ESTIMATE_MS // WORD_MS)
        if len(early) > allowed:
            said = f"turn {end.turn} claims {len(early)} words that did not sound: {early[0]!r} …"
            self.story.violated("I11", robot, said)

    # in the store

    def stored(self, robot: str, exchange: Exchange) -> None:
        """The store has committed an exchange."""
        self.committed[robot][exchange.turn] = exchange

    def remembered(self, robot: str, history: Sequence[Exchange], limit: int) -> None:
        """A new connection or a planner is given ``history``; nothing that was committed may be
        missing."""
        given = {e.turn: e for e in history}
        for turn in sorted(self.committed[robot])[-limit:]:
            if given.get(turn) != self.committed[robot][turn]:
                self.story.violated("I9", robot, f"turn {turn} was committed and is forgotten")
                return

    def _check_owner(self, robot: str, text: str, kind: str) -> None:
        for word in map(_plain, text.split()):
            owner = self.words.robot_of.get(word, word if word in NAMES else robot)
            if owner != robot:
                self.story.violated("I7", robot, f"{kind} holds {owner}'s word {word!r}")
                return


def _plain(word: str) -> str:
    return word.strip(".,!?").lower()


def _texts(message: ToRobot) -> tuple[str, ...]:
    match message:
        case Transcript() | SpeechText():
            return (message.text,)
        case TurnBegin():
            return (message.user_text,)
        case TurnEnd():
            return (message.heard_text, message.response_text)
    return ()


def counted(message: ToRobot | FromRobot) -> str:
    """A message in a story: its class and what matters of it."""
    fields = {
        name: value
        for name in ("epoch", "turn", "samples", "text", "outcome", "code", "heard_text", "id")
        if (value := getattr(message, name, None)) not in (None, "")
    }
    if "id" in fields:
        fields["id"] = str(fields["id"]).rsplit("-", 1)[-1]
    shown = ", ".join(f"{name}={str(value)[:_SHOWN]}" for name, value in fields.items())
    return f"{type(message).__name__}({shown})"
