"""The state of a robot's session, as the engine sees it: plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from hub.open_turn import Phrase
from hub.session.character import Character
from hub.session.events import Announce
from hub.session.hearing import Hearing
from hub.session.preemption import Claim, decide
from hub.session.waterfall import Stage
from protocols.messages.affect import AffectState, BodySensed
from protocols.messages.agent import AgentKind
from protocols.messages.face import Conversation
from protocols.messages.memory import MemoryState
from protocols.messages.robot import Capabilities, Hello, TurnBegin
from protocols.messages.session import Attention
from protocols.messages.speech import WordMark
from protocols.messages.turn import Exchange, Priority, Sight
from protocols.vocabulary import NEGATIVE_EMOTIONS

_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Policy:
    """Every number of a turn, as data. Milliseconds."""

    planner_deadline_ms: int = 4_000
    """Without a word from the chosen planner until then, the reflex planner answers."""
    planner_gap_ms: int = 8_000
    """Longest pause inside a response before it is taken as finished."""
    look_ms: int = 4_000
    """How long the planner waits for what the camera shows, where the user asked for it."""
    tool_calls: int = 2
    """Calls of tools for which the planner is given its deadline anew, before and after each."""
    filler_ms: int = 2_500
    """Silence after which the robot says that it is thinking."""
    transcript_ms: int = 8_000
    """Longest wait for a transcript after its utterance ended."""
    barge_words: int = 3
    """Words of a partial transcript that interrupt before the voice has *lasted*."""
    barge_wait_ms: int = 3_000
    """How long a robot that is held waits for the next word of ears: that the voice goes on, pauses,
    comes back or is over."""
    silence_ms: int = 4_000
    """Speaking, but nothing reached the loudspeaker for so long: the turn is ended."""
    resume_ms: int = 30_000
    """How long the session of a robot that lost its connection waits for its return."""
    restart_ms: int = 10_000
    """How long what was being said when the hub went down waits for the robot's return."""
    affect_ms: int = 20
    """How long the face waits for ``affect.changed`` before it shows the model's emotion."""
    attention: Attention = Attention.OPEN
    """How a robot listens that does not say it."""
    follow_up_ms: int = 8_000
    """With a wake word: how long after it, or after an answer, what is said is taken."""
    attended_ms: int = 400
    """How long the face shows that the wake word was heard."""
    guard: bool = True
    """What is spoken, and what planners are asked, passes the guard."""
    history_turns: int = 20
    user_chars: int = 5_000
    """Longest text of the user that one turn answers, however often the turn was reopened."""
    filler: str = "Hm, let me think."
    apology: str = "Sorry, I cannot answer that right now."
    suggest_break: str = "We have talked for quite a while. How about a little break?"
    """Said once when a conversation has lasted as long as feelings let it."""
    enough_today: str = "That was a lot of talking for today. Let us go on tomorrow."
    """Said once when all of today's have, and then instead of every answer that would begin another
    conversation."""


class Timer(StrEnum):
    """What the engine may wait for; the value is for logs."""

    PLANNER = "planner"
    FILLER = "filler"
    TRANSCRIPT = "transcript"
    BARGE = "barge"
    SILENCE = "silence"
    AFFECT = "affect"
    MOOD = "mood"
    AWAY = "away"
    UNSAID = "unsaid"
    LOOK = "look"
    WAITING = "waiting"
    ATTENDED = "attended"
    FOLLOW_UP = "follow_up"


class Mood(NamedTuple):
    """What feelings have the face show."""

    emotion: str
    intensity: float
    reason: str = ""


class Parting(NamedTuple):
    """How a connection was lost whose session goes on."""

    reason: str
    code: int


class Unsaid(NamedTuple):
    """What a turn that the hub's end cut short had still to say, and for whom."""

    text: str
    claim: Claim
    emotion: str
    intensity: float


class Waiting(NamedTuple):
    """An announcement that is said when the robot is free, if that is before ``until_ns``."""

    what: Announce
    until_ns: int


class Barge(StrEnum):
    """How far an interruption by voice has come."""

    NONE = "none"
    DUCKED = "ducked"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Utterance:
    """The user's speech: under way, or ended and waiting for its transcript."""

    number: int
    voiced: bool = True
    speech_end_ns: int = 0
    endpoint_ns: int = 0


class Turn(msgspec.Struct, frozen=True, gc=False):
    """The exchange under way.

    ``uncut`` is text that is no whole phrase yet, ``spoken`` counts phrases whose audio is made,
    ``voiceless`` is why this turn is text alone, ``code`` why its answer is not as it should be.
    ``tools`` are calls under way, ``tool_calls`` counts all there were.
    While it is ``looking``, no planner has been asked yet; ``sight`` is what came of it.
    """

    number: int
    claim: Claim
    user_text: str = ""
    request: int = 0
    role: str = ""
    fallback: str = ""
    emotion: str = "neutral"
    intensity: float = 0.5
    mood_reason: str = ""
    intent: str = ""
    has_meta: bool = False
    shown: bool = False
    uncut: str = ""
    phrases: tuple[Phrase, ...] = ()
    text_done: bool = False
    spoken: int = 0
    samples: int = 0
    rate_hz: int = 16_000
    played_ms: int = 0
    first_played_ns: int = 0
    complete: bool = False
    voiceless: str = ""
    code: str = ""
    tools: tuple[tuple[str, str], ...] = ()
    tool_calls: int = 0
    looking: bool = False
    sight: Sight | None = None
    stages: Mapping[Stage, int] = msgspec.field(default_factory=lambda: MappingProxyType({}))

    @property
    def beginning(self) -> TurnBegin:
        """What the robot is told of it."""
        interruptible = decide(self.claim, Claim(Priority.USER)).granted
        return TurnBegin(turn=self.number, user_text=self.user_text, interruptible=interruptible)

    @property
    def audible(self) -> bool:
        """Whether the user has heard any of it."""
        return self.played_ms > 0

    @property
    def speaks(self) -> bool:
        """Whether speech was requested."""
        return bool(self.phrases)

    @property
    def text(self) -> str:
        """The response's words, without fillers, as far as they were cut into phrases."""
        return " ".join(p.text for p in self.phrases if not p.filler)

    @property
    def spoken_text(self) -> str:
        """All words that were requested from tts, fillers included."""
        return " ".join(p.text for p in self.phrases)

    @property
    def marks(self) -> tuple[WordMark, ...]:
        """When the words sound that tts has made so far."""
        return tuple(word for phrase in self.phrases for word in phrase.words)

    @property
    def total_ms(self) -> int:
        """Length of the response's audio so far."""
        return self.samples * 1000 // self.rate_hz


class State(msgspec.Struct, frozen=True, gc=False):
    """A robot. ``last_turn`` only rises; ``fence`` is the highest turn that is stale.

    ``utterance`` is the speech under way, ``awaited`` the one whose transcript is due; of
    utterances up to ``settled`` nothing more is wanted. ``carried`` is what the user said in a
    turn that was reopened before anything was heard of it (``reopens``). While the robot is
    ``away``, its connection lost and its return awaited, ``epoch`` is still that connection's.
    ``resumable`` says whether its wire knows how to return. ``mood`` and ``affect`` are what
    feelings said last, ``uncapped`` whether somebody lets its negative moods last, ``reminder``
    what is to be said of the time; ``memory`` is what the robot remembers, None if nobody knows.
    ``hearing`` is how it listens. ``own`` is who the robot is, ``coming`` who it is to be once
    nobody speaks, ``waiting`` what it has to say then.
    """

    robot: str
    policy: Policy = Policy()
    epoch: int = 0
    away: Parting | None = None
    resumable: bool = False
    unsaid: Unsaid | None = None
    session: str = ""
    hello: Hello = msgspec.field(default_factory=Hello)
    last_turn: int = 0
    fence: int = 0
    turn: Turn | None = None
    utterance: Utterance | None = None
    awaited: Utterance | None = None
    settled: int = 0
    barge: Barge = Barge.NONE
    carried: str = ""
    reopens: int = 0
    face: Conversation = Conversation.IDLE
    hearing: Hearing = Hearing()
    history: tuple[Exchange, ...] = ()
    world: Mapping[str, object] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    profile: Mapping[str, object] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    mood: Mood | None = None
    affect: AffectState | None = None
    has_own_feelings: bool = False
    uncapped: bool = False
    body: BodySensed = BodySensed()
    reminder: str = ""
    memory: MemoryState | None = None
    own: Character = Character()
    coming: Character | None = None
    waiting: tuple[Waiting, ...] = ()
    keeps_reminders: bool = False
    agents: frozenset[tuple[AgentKind, str]] = frozenset()
    timers: Mapping[Timer, int] = msgspec.field(default_factory=lambda: MappingProxyType({}))

    @property
    def in_session(self) -> bool:
        """Connected, or away and awaited."""
        return self.epoch > 0

    @property
    def connected(self) -> bool:
        return self.in_session and self.away is None

    @property
    def able(self) -> Capabilities:
        """What the robot can show and do, as far as it may."""
        return self.own.of(self.hello.capabilities)

    @property
    def language(self) -> str:
        """What is spoken with this robot."""
        return self.own.language or self.hello.language

    @property
    def is_free(self) -> bool:
        """Whether it is connected and has a voice, and nobody speaks, nor is anything waiting to be
        said."""
        heard = self.utterance or self.awaited or self.carried or self.hearing.held
        busy = self.turn or heard or self.unsaid or self.waiting or self.reminder
        return self.connected and self.has(AgentKind.TTS, "primary") and not busy

    @property
    def at_rest(self) -> Conversation:
        """What the face shows while nobody is answered."""
        if not self.in_session:
            return Conversation.IDLE
        if Timer.ATTENDED in self.timers and self.hearing.hears:
            return Conversation.ATTENTION
        return self.hearing.at_rest

    @property
    def due_ns(self) -> int | None:
        """When the next ``Tick`` is wanted."""
        return min(self.timers.values(), default=None)

    @property
    def being_answered(self) -> bool:
        """Whether the user's speech has ended and the response was not made yet, to its last
        sample."""
        live = self.turn
        if live is not None and not live.complete and not (live.text_done and live.voiceless):
            return True
        return self.awaited is not None or (
            self.utterance is not None and not self.utterance.voiced
        )

    @property
    def standing(self) -> tuple[int, bool]:
        """What others are told of, turn or no turn: the last turn, and ``being_answered``."""
        return self.last_turn, self.being_answered

    @property
    def sees(self) -> bool:
        """Whether somebody serves this robot who understands pictures."""
        return any(kind is AgentKind.VISION for kind, _ in self.agents)

    @property
    def feels(self) -> bool:
        """Whether somebody decides what the face of this robot shows."""
        return (AgentKind.FEELINGS, "primary") in self.agents and not self.has_own_feelings

    @property
    def face_mood(self) -> tuple[str, float]:
        """What the face shows: how the live turn feels, else the robot's mood."""
        live, mood = self.turn, self.mood
        if mood is not None and not (live and live.shown):
            return mood.emotion, mood.intensity
        return (live.emotion, live.intensity) if live else ("neutral", 0.5)

    @property
    def voice_mood(self) -> tuple[str, float]:
        """How the live turn sounds: as it shall feel, but never sad, scared or angry before feelings
        have let the face be so."""
        live = self.turn
        if live is None or (not live.shown and self.feels and live.emotion in NEGATIVE_EMOTIONS):
            return self.face_mood
        return live.emotion, live.intensity

    @property
    def talked_enough(self) -> bool:
        """Whether no conversation begins any more today."""
        now = self.affect
        return now is not None and now.daily_limit_reached and not now.conversation_active

    def has(self, kind: AgentKind, role: str) -> bool:
        """Whether an instance of that kind and role can serve."""
        return (kind, role) in self.agents


def after(now_ns: int, ms: int) -> int:
    """The deadline ``ms`` milliseconds from now."""
    return now_ns + ms * _MS
