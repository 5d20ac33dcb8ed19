"""The feelings of one robot over its sessions: what is told goes in, what is to be told comes out.

Times are seconds of one monotonic clock, days numbers of the calendar. No clock, task or file is in
here; the noise comes from a generator that whoever makes a heart has seeded.
"""

from math import isnan
from random import Random

from msgspec.structs import replace

from agents.feelings import engine
from agents.feelings.body import Body, sensed
from agents.feelings.engine import (
    Calmed,
    ConversationEnded,
    ConversationStarted,
    DayForgiven,
    Effect,
    Event,
    Happened,
    MoodChanged,
    Overridden,
    Tick,
    Wished,
)
from agents.feelings.guardrails import Broken, Guardrails, changed
from agents.feelings.impulses import Cause
from agents.feelings.temperament import Affect, Temperament
from protocols.envelope import Message
from protocols.messages.affect import (
    AffectBias,
    AffectOverride,
    AffectReset,
    AffectState,
    AffectWish,
    BodySensed,
    GuardrailHeld,
    GuardrailSet,
)
from protocols.messages.face import AffectChanged
from protocols.messages.session import AttentionSet
from protocols.messages.turn import Outcome, Priority, TurnEnded, TurnStarted
from protocols.messages.voice import VoiceConfirmed

QUIET_S = 30.0
"""A conversation is over when nobody has said anything for so long."""
LONGEST_TURN_S = 120.0
"""A turn whose end was not heard of is over by then."""
TELL_EVERY_S = 1.0
MOST_PUSH = 2.0
"""Further apart are no two places in the plane that matter."""

Told = tuple[Message, ...]


class Heart:
    """See the module. Every method returns what is to be told, in order."""

    def __init__(
        self,
        nature: Temperament,
        limits: Guardrails,
        noise: Random,
        now_s: float,
        day: int,
        spent_s: float = 0.0,
    ) -> None:
        self.state = engine.begin(nature, now_s, day, spent_s)
        self.limits = limits
        self._nature, self._usual, self._noise = nature, limits, noise
        self._body = Body()
        self._bias = Affect(0.0, 0.0)
        self._session = ""
        self._talk_until_s = 0.0
        self._went_well = True
        self._layer = 0
        self._told: AffectState | None = None
        self._told_s = 0.0

    @property
    def due_s(self) -> float:
        """When ``advance`` is wanted."""
        due = engine.due_s(self.limits, self.state)
        return min(due, self._talk_until_s) if self.state.in_conversation else due

    def open(self, session: str, now_s: float, day: int) -> Told:
        """The robot is served from now on. Where a conversation goes on, nothing has happened."""
        out: list[Message] = []
        state = self.state
        if state.in_conversation and (session != self._session or now_s >= self._talk_until_s):
            self._step(ConversationEnded(self._went_well), now_s, out)
        if session != self._session:
            # Whoever lets it talk for longer than others says so in every session.
            self.limits = changed(self.limits, GuardrailSet(usual_limits=True), self._usual)
        self._session, self._told = session, None
        self._tick(now_s, day, out)
        self._step(Happened(Cause.BOOT), now_s, out)
        out = [m for m in out if not isinstance(m, AffectChanged)]
        return (self._shown(), *out, self._snapshot(now_s))

    def advance(self, now_s: float, day: int) -> Told:
        """Time has passed."""
        out: list[Message] = []
        self._tick(now_s, day, out)
        if self.state.in_conversation and now_s >= self._talk_until_s:
            self._step(ConversationEnded(self._went_well), now_s, out)
        return self._with_news(out, now_s)

    def hear(self, message: Message, turn: int, now_s: float, day: int) -> Told:
        """Something was told; ``turn`` is its envelope's."""
        out: list[Message] = []
        match message:
            case AffectWish():
                self._wish(message, turn, now_s, day, out)
            case TurnStarted(priority=Priority.USER):
                self._somebody_talks(now_s, day, out)
                self._talk_until_s = now_s + LONGEST_TURN_S
            case TurnEnded(outcome=outcome) if self.state.in_conversation:
                self._went_well = outcome is not Outcome.FAILED
                self._talk_until_s = now_s + QUIET_S
            case VoiceConfirmed():
                self._talk_until_s = max(self._talk_until_s, now_s + QUIET_S)
                self._step(Happened(Cause.SPEECH), now_s, out)
            case AttentionSet(held=True):
                self._step(Happened(Cause.BUTTON), now_s, out)
            case BodySensed():
                self._body, causes = sensed(self._body, message)
                for cause in causes:
                    self._step(Happened(cause), now_s, out)
            case _:
                self._ordered(message, now_s, day, out)
        return self._with_news(out, now_s)

    # inside

    def _wish(
        self, wish: AffectWish, turn: int, now_s: float, day: int, out: list[Message]
    ) -> None:
        """Answered in any case: a face waits for it. A reason that was none is not repeated."""
        if wish.conversing:
            self._somebody_talks(now_s, day, out)
        self._step(Wished(wish.emotion, wish.intensity, wish.reason), now_s, out)
        held = any(isinstance(m, GuardrailHeld) for m in out)
        out[:] = [m for m in out if not isinstance(m, AffectChanged)]
        out.insert(0, self._shown("" if held else wish.reason, turn))

    def _ordered(self, message: Message, now_s: float, day: int, out: list[Message]) -> None:
        match message:
            case AffectOverride(valence=valence, arousal=arousal, magnitude=magnitude):
                target = Affect(_within(valence), _within(arousal))
                push = Overridden(target, _within(magnitude, 0.0, MOST_PUSH))
                self._step(push, now_s, out)
            case AffectReset():
                self._step(Calmed(), now_s, out)
            case AffectBias(valence=valence, arousal=arousal):
                self._bias = Affect(_within(valence), _within(arousal))
            case GuardrailSet():
                self.limits = changed(self.limits, message, self._usual)
                if message.reset_daily:
                    self._step(DayForgiven(), now_s, out)
                self._tick(now_s, day, out)

    def _somebody_talks(self, now_s: float, day: int, out: list[Message]) -> None:
        if not self.state.in_conversation:
            self._tick(now_s, day, out)
            self._went_well = True
            self._step(ConversationStarted(), now_s, out)
        self._talk_until_s = max(self._talk_until_s, now_s + QUIET_S)

    def _tick(self, now_s: float, day: int, out: list[Message]) -> None:
        noise = (self._noise.gauss(0.0, 1.0), self._noise.gauss(0.0, 1.0))
        self._step(Tick(noise, day, self._bias, self._whim(now_s)), now_s, out)

    def _whim(self, now_s: float) -> str:
        """By chance one, as often as it is the robot's nature."""
        passed_s = min(now_s - self.state.at_s, engine.TICK_S)
        if self.state.in_conversation or self._noise.random() >= self._nature.whims * passed_s:
            return ""
        return self._noise.choice(engine.WHIMS)

    def _step(self, event: Event, now_s: float, out: list[Message]) -> None:
        before = self.state.affect
        self.state, effects = engine.step(self._nature, self.limits, self.state, event, now_s)
        if self.state.affect != before and not isinstance(event, Tick):
            self._layer = 1 if isinstance(event, Wished) else 0
        out += map(self._fact_of, effects)

    def _fact_of(self, effect: Effect) -> Message:
        if isinstance(effect, MoodChanged):
            return self._shown(effect.reason)
        return GuardrailHeld(rule=effect.rule, detail=effect.detail)

    def _shown(self, reason: str = "", turn: int = 0) -> AffectChanged:
        (mood, intensity), (valence, arousal) = self.state.shown, self.state.affect
        return AffectChanged(
            emotion=mood,
            intensity=round(intensity, 3),
            reason=reason,
            valence=round(valence, 3),
            arousal=round(arousal, 3),
            turn=turn,
        )

    def _with_news(self, out: list[Message], now_s: float) -> Told:
        """``out``, and where everything stands if that is worth telling."""
        state, told = self.state, self._told
        is_due = state.in_conversation and now_s >= self._told_s + TELL_EVERY_S
        if told is None or is_due or out or _differs(told, self._state_now()):
            out.append(self._snapshot(now_s))
        return tuple(out)

    def _snapshot(self, now_s: float) -> AffectState:
        self._told, self._told_s = self._state_now(), now_s
        return self._told

    def _state_now(self) -> AffectState:
        state, limits = self.state, self.limits
        (mood, intensity), (valence, arousal) = state.shown, state.affect
        return AffectState(
            mood=mood,
            intensity=round(intensity, 3),
            valence=round(valence, 3),
            arousal=round(arousal, 3),
            layer=self._layer,
            conversation_active=state.in_conversation,
            idle_state=state.idle,
            session_time_s=round(state.session_s, 1),
            daily_time_s=round(state.daily_s, 1),
            session_limit_reached=Broken.SESSION_LIMIT in state.held,
            daily_limit_reached=0 < limits.daily_limit_s <= state.daily_s,
        )


_ALWAYS_CHANGING: dict[str, float] = dict.fromkeys(
    ("intensity", "valence", "arousal", "session_time_s", "daily_time_s"), 0.0
)


def _differs(told: AffectState, now: AffectState) -> bool:
    """Whether somebody may want to know, the numbers aside that change all the time."""
    return replace(told, **_ALWAYS_CHANGING) != replace(now, **_ALWAYS_CHANGING)


def _within(value: float, lowest: float = -1.0, highest: float = 1.0) -> float:
    """``value`` between two bounds; 0 for what is no number."""
    return 0.0 if isnan(value) else max(lowest, min(highest, value))
