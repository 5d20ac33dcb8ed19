"""The affect of one robot: ``step(nature, limits, state, event, now) → (state, effects)``. Pure.

A point in the plane of valence and arousal decays towards the robot's baseline, is pushed by what
happens and by what a language model wishes, and trembles a little. The mood that is shown is the
nearest one, as far as the guardrails allow. Times in seconds of one monotonic clock; the noise of a
tick comes with it, so that a seed tells the whole story.
"""

from dataclasses import dataclass, field, replace
from math import exp, sqrt

from agents.feelings.guardrails import Broken, Guardrails, capped, weight_of
from agents.feelings.impulses import REASONS, RULES, Cause, Impulse, pushed
from agents.feelings.moods import MOODS, Shown, nearest
from agents.feelings.temperament import Affect, Temperament
from protocols.messages.affect import Idle as Idle

TICK_S = 1.0
DROWSY_S, ASLEEP_S = 300.0, 900.0
QUIET_AFTER_CONVERSATION_S = 120.0
"""Nobody falls asleep the moment a conversation is over."""
RECOVERY = 0.40
"""Magnitude of the push back to the baseline when a feeling has lasted long enough."""
MEMORY_PULL = 0.02
SUBSTITUTE, SUBSTITUTE_SHARE = "thinking", 0.5
WHIMS = ("curious", "happy", "thinking", "silly")
"""What a robot that nobody talks with feels like of itself: nothing that is negative."""
PASSES, WHIM, BY_HAND = "it passes", "a whim", "a person has seen to it"
"""Why a mood has changed, for people."""
NOTICEABLE = 0.05
"""A change of intensity that is worth telling."""
UNMOVED = Affect(0.0, 0.0)
LONGEST_TICK_S = 60.0
"""After a suspend the past is not lived through."""


# what happens


@dataclass(frozen=True)
class Tick:
    """Time has passed. ``noise`` are two numbers of the standard normal distribution, ``day`` the
    number of the calendar day; ``bias`` is what memories pull at, already weighed by strength;
    ``whim`` is a mood of ``WHIMS`` that an idle robot has now, empty if none."""

    noise: tuple[float, float] = (0.0, 0.0)
    day: int = 0
    bias: Affect = UNMOVED
    whim: str = ""


@dataclass(frozen=True)
class Happened:
    """Something of the robot's own senses."""

    cause: Cause


@dataclass(frozen=True)
class ConversationStarted:
    """Somebody talks with the robot."""


@dataclass(frozen=True)
class ConversationEnded:
    """Nobody talks with it any more. ``well``: it was not cut short by a failure."""

    well: bool = True


@dataclass(frozen=True)
class Wished:
    """A language model would have the robot feel so; it is an impulse, never an order."""

    emotion: str
    intensity: float
    reason: str = ""


@dataclass(frozen=True)
class Overridden:
    """A person pushes the robot's affect by hand."""

    target: Affect
    magnitude: float


@dataclass(frozen=True)
class Calmed:
    """A person has the robot feel as after waking."""


@dataclass(frozen=True)
class DayForgiven:
    """What was talked today counts no more."""


Event = (
    Tick | Happened | ConversationStarted | ConversationEnded | Wished | Overridden | Calmed
    | DayForgiven
)  # fmt: skip


# what follows


@dataclass(frozen=True)
class MoodChanged:
    """The face shows this from now on."""

    shown: Shown
    reason: str = ""


@dataclass(frozen=True)
class GuardrailHeld:
    """A guardrail took hold."""

    rule: Broken
    detail: str = ""


Effect = MoodChanged | GuardrailHeld


@dataclass(frozen=True)
class State:
    """All that is known of a robot's feelings."""

    affect: Affect
    shown: Shown
    mood: str = "neutral"
    """The nearest mood, whether or not it may be shown."""
    mood_since_s: float = 0.0
    at_s: float = 0.0
    in_conversation: bool = False
    session_s: float = 0.0
    """Length of this conversation, or of the last one."""
    daily_s: float = 0.0
    day: int = 0
    active_s: float = 0.0
    """When something happened last."""
    talked_s: float = float("-inf")
    """When the last conversation ended."""
    cooled_s: dict[Cause, float] = field(default_factory=dict)
    """Until when a cause moves nothing."""
    held: frozenset[Broken] = frozenset()
    """Limits of time that were reached and told of."""

    @property
    def idle(self) -> Idle:
        """Whether the robot is awake."""
        quiet_s = 0.0 if self.in_conversation else self.at_s - self.active_s
        if quiet_s >= ASLEEP_S:
            return Idle.ASLEEP
        return Idle.DROWSY if quiet_s >= DROWSY_S else Idle.AWAKE


def begin(nature: Temperament, now_s: float, day: int = 0, daily_s: float = 0.0) -> State:
    """A robot that has just woken. ``daily_s`` is what it has talked on ``day`` before."""
    shown = nearest(nature.baseline, "neutral")
    return State(
        nature.baseline, shown, shown.mood, now_s, now_s, day=day, daily_s=daily_s, active_s=now_s
    )


def due_s(limits: Guardrails, state: State) -> float:
    """When the next tick is due at the latest: a second after the last, or when a feeling has
    lasted as long as it may."""
    due = state.at_s + TICK_S
    cap_s = limits.duration_caps_s.get(state.mood)
    if cap_s is not None and state.shown.mood == state.mood:
        due = min(due, state.mood_since_s + cap_s)
    return due


def blocked(limits: Guardrails, state: State) -> bool:
    """Whether no conversation begins any more today."""
    return not state.in_conversation and 0 < limits.daily_limit_s <= state.daily_s


def step(
    nature: Temperament, limits: Guardrails, state: State, event: Event, now_s: float
) -> tuple[State, tuple[Effect, ...]]:
    """What ``event`` makes of ``state``."""
    effects: list[Effect] = []
    match event:
        case Tick():
            state = _passed(nature, limits, state, event, now_s, effects)
        case Happened(cause):
            state = _happened(nature, replace(state, active_s=now_s), cause, now_s)
        case ConversationStarted():
            state = _started(nature, limits, state, now_s, effects)
        case ConversationEnded(well):
            state = _ended(nature, state, well, now_s)
        case Wished():
            state = _wished(nature, state, event, effects)
        case Overridden(target, magnitude):
            state = _push(nature, state, Impulse(target, magnitude))
        case Calmed():
            state = replace(state, affect=nature.baseline)
        case DayForgiven():
            state = replace(state, daily_s=0.0, held=state.held - {Broken.DAILY_LIMIT})
    return _show(nature, limits, state, event, now_s, effects), tuple(effects)


def _passed(
    nature: Temperament,
    limits: Guardrails,
    state: State,
    tick: Tick,
    now_s: float,
    effects: list[Effect],
) -> State:
    passed_s = max(0.0, min(now_s - state.at_s, LONGEST_TICK_S))
    affect = _decayed(nature, state.affect, tick, passed_s)
    if tick.day != state.day:
        state = replace(state, day=tick.day, daily_s=0.0, held=state.held - {Broken.DAILY_LIMIT})
    state = replace(state, affect=affect, at_s=now_s)
    if state.in_conversation:
        return _talked(limits, state, passed_s, effects)
    match _stirring(state, tick, now_s):
        case Cause() as cause:
            return _happened(nature, state, cause, now_s)
        case str(whim) if whim:
            return _push(nature, state, Impulse(MOODS[whim].at, nature.idle_magnitude))
    return state


def _stirring(state: State, tick: Tick, now_s: float) -> Cause | str:
    """What moves a robot of itself, now that nobody talks with it: that nobody comes, or a whim;
    empty if nothing does."""
    if state.in_conversation or now_s - state.talked_s < QUIET_AFTER_CONVERSATION_S:
        return ""
    if state.idle is not Idle.AWAKE:
        return Cause.ASLEEP if state.idle is Idle.ASLEEP else Cause.DROWSY
    return tick.whim if tick.whim in WHIMS else ""


def _decayed(nature: Temperament, affect: Affect, tick: Tick, passed_s: float) -> Affect:
    moved = []
    for value, base, bias, noise in zip(
        affect, nature.baseline, tick.bias, tick.noise, strict=True
    ):
        side = nature.decay_above if value > base else nature.decay_below
        value = base + (value - base) * exp(-nature.decay * side * passed_s)
        value += MEMORY_PULL * bias * passed_s + nature.noise * sqrt(passed_s) * noise
        moved.append(value)
    return _clamped(nature, Affect(*moved))


def _talked(limits: Guardrails, state: State, passed_s: float, effects: list[Effect]) -> State:
    state = replace(state, session_s=state.session_s + passed_s, daily_s=state.daily_s + passed_s)
    for rule, spent_s, limit_s in (
        (Broken.SESSION_LIMIT, state.session_s, limits.session_limit_s),
        (Broken.DAILY_LIMIT, state.daily_s, limits.daily_limit_s),
    ):
        if 0 < limit_s <= spent_s and rule not in state.held:
            effects.append(GuardrailHeld(rule, f"{spent_s:.0f} s of {limit_s:.0f} s"))
            state = replace(state, held=state.held | {rule})
    return state


def _happened(nature: Temperament, state: State, cause: Cause, now_s: float) -> State:
    if now_s < state.cooled_s.get(cause, float("-inf")):
        return state
    rule = RULES[cause]
    cooled_s = {**state.cooled_s, cause: now_s + rule.cooldown_s}
    return _push(nature, replace(state, cooled_s=cooled_s), rule.impulse)


def _started(
    nature: Temperament, limits: Guardrails, state: State, now_s: float, effects: list[Effect]
) -> State:
    if blocked(limits, state):
        effects.append(GuardrailHeld(Broken.DAILY_BLOCKED, f"{state.daily_s:.0f} s today"))
        return replace(state, active_s=now_s)
    held = state.held - {Broken.SESSION_LIMIT}
    state = replace(state, in_conversation=True, session_s=0.0, active_s=now_s, held=held)
    return _happened(nature, state, Cause.CONVERSATION_STARTED, now_s)


def _ended(nature: Temperament, state: State, well: bool, now_s: float) -> State:
    if not state.in_conversation:
        return state
    cause = Cause.CONVERSATION_ENDED_WELL if well else Cause.CONVERSATION_ENDED_BADLY
    state = replace(state, in_conversation=False, active_s=now_s, talked_s=now_s)
    return _happened(nature, state, cause, now_s)


def _wished(nature: Temperament, state: State, wish: Wished, effects: list[Effect]) -> State:
    mood = MOODS.get(wish.emotion)
    if mood is None:
        return state
    intensity = max(0.0, min(1.0, wish.intensity))
    weight = weight_of(wish.emotion, wish.reason, state.in_conversation)
    if weight is None:
        effects.append(GuardrailHeld(Broken.REASON_REJECTED, wish.emotion))
        mood, weight = MOODS[SUBSTITUTE], SUBSTITUTE_SHARE
    return _push(nature, state, Impulse(mood.at, mood.magnitude * intensity * weight))


def _push(nature: Temperament, state: State, impulse: Impulse) -> State:
    return replace(state, affect=_clamped(nature, pushed(state.affect, impulse, nature)))


def _show(
    nature: Temperament,
    limits: Guardrails,
    state: State,
    event: Event,
    now_s: float,
    effects: list[Effect],
) -> State:
    """Find the mood, and what of it may be shown."""
    near = nearest(state.affect, state.mood)
    if near.mood != state.mood:
        state = replace(state, mood=near.mood, mood_since_s=now_s)
    cap_s = limits.duration_caps_s.get(near.mood)
    shown = capped(near, limits, state.in_conversation)
    if cap_s is not None and now_s >= state.mood_since_s + cap_s:
        # Pushed back, and not shown until it has left, however often somebody wishes for it.
        if shown.mood == near.mood and state.shown.mood == near.mood:
            effects.append(GuardrailHeld(Broken.DURATION_CAP, near.mood))
        if isinstance(event, Tick):
            state = _push(nature, state, Impulse(nature.baseline, RECOVERY))
        shown = Shown("neutral", shown.intensity)
    if shown.mood == state.shown.mood:
        change = shown.intensity - state.shown.intensity
        is_allowed = state.shown.intensity <= limits.intensity_caps.get(shown.mood, 1.0)
        if abs(change) < NOTICEABLE and is_allowed:
            return state
    effects.append(MoodChanged(shown, _reason_of(event, state, now_s)))
    return replace(state, shown=shown)


def _reason_of(event: Event, state: State, now_s: float) -> str:
    match event:
        case Wished(reason=reason):
            return reason
        case Tick():
            stirring = _stirring(state, event, now_s)
            if isinstance(stirring, Cause):
                return REASONS[stirring]
            return WHIM if stirring else PASSES
        case Happened(cause):
            return REASONS[cause]
        case ConversationStarted():
            return REASONS[Cause.CONVERSATION_STARTED]
        case ConversationEnded(well):
            ended = Cause.CONVERSATION_ENDED_WELL if well else Cause.CONVERSATION_ENDED_BADLY
            return REASONS[ended]
    return BY_HAND


def _clamped(nature: Temperament, affect: Affect) -> Affect:
    return Affect(
        *(
            max(low, min(high, value))
            for value, low, high in zip(affect, nature.lowest, nature.highest, strict=True)
        )
    )
