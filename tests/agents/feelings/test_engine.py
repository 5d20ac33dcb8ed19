"""What a robot feels: the numbers of its temperament, what moves it, and what it must not."""

from dataclasses import replace
from math import dist, exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.feelings.engine import (
    ASLEEP_S,
    DROWSY_S,
    WHIM,
    ConversationEnded,
    ConversationStarted,
    Effect,
    Event,
    GuardrailHeld,
    Happened,
    Idle,
    MoodChanged,
    Overridden,
    Tick,
    Wished,
    begin,
    due_s,
    step,
)
from agents.feelings.guardrails import Broken, Guardrails
from agents.feelings.impulses import REASONS, Cause, Impulse, pushed
from agents.feelings.moods import MOODS, NEGATIVE, Shown, nearest
from agents.feelings.temperament import Affect, Axes, temperament

NATURE = temperament(Axes())
LIMITS = Guardrails()
ANGRY = Wished("angry", 1.0, "somebody kicked it")


class Life:
    """A robot and its clock. Time passes in ticks, each when it is due."""

    def __init__(self, limits: Guardrails = LIMITS, daily_s: float = 0.0) -> None:
        self.limits = limits
        self.now = 0.0
        self.state = begin(NATURE, 0.0, daily_s=daily_s)
        self.effects: list[Effect] = []
        self.day = 0

    def feel(self, *events: Event) -> "Life":
        for event in events:
            self.state, effects = step(NATURE, self.limits, self.state, event, self.now)
            self.effects += effects
        return self

    def live(self, seconds: float) -> "Life":
        until = self.now + seconds
        while (due := due_s(self.limits, self.state)) <= until:
            self.now = due
            self.feel(Tick(day=self.day))
        self.now = until
        return self

    @property
    def held(self) -> list[Broken]:
        return [effect.rule for effect in self.effects if isinstance(effect, GuardrailHeld)]


def at(mood: str) -> Affect:
    return MOODS[mood].at


def in_mood(life: Life, mood: str) -> Life:
    life.state = replace(life.state, affect=at(mood))
    return life.feel(Overridden(at(mood), 0.0))


def test_the_default_temperament_has_the_numbers_of_its_specification() -> None:
    assert tuple(Affect(0.10, -0.05)) == pytest.approx(NATURE.baseline)
    assert pytest.approx(0.055) == NATURE.decay
    assert (NATURE.decay_above, NATURE.decay_below) == (0.85, 1.30)
    assert pytest.approx(1.0) == NATURE.scale_pleasant
    assert pytest.approx(0.545) == NATURE.scale_unpleasant
    assert tuple(NATURE.lowest) == pytest.approx((-0.675, -0.90))
    assert tuple(NATURE.highest) == pytest.approx((0.95, 0.66))
    assert pytest.approx(0.0125) == NATURE.noise
    assert pytest.approx(0.19) == NATURE.idle_magnitude


def test_affect_decays_to_the_baseline_slower_from_above_than_from_below() -> None:
    life = Life()
    life.state = replace(life.state, affect=Affect(0.60, -0.55))
    life.live(1.0)
    assert life.state.affect.valence == pytest.approx(0.10 + 0.50 * exp(-0.055 * 0.85))
    assert life.state.affect.arousal == pytest.approx(-0.05 - 0.50 * exp(-0.055 * 1.30))


def test_an_impulse_goes_towards_its_target_and_never_beyond() -> None:
    start = Affect(0.0, 0.0)
    assert pushed(start, Impulse(Affect(0.6, 0.8), 0.5), NATURE) == pytest.approx((0.3, 0.4))
    assert pushed(start, Impulse(Affect(0.03, 0.04), 0.5), NATURE) == pytest.approx((0.03, 0.04))
    assert pushed(start, Impulse(start, 0.5), NATURE) == start


def test_an_unpleasant_impulse_weighs_less_for_one_who_is_not_vulnerable() -> None:
    down = pushed(Affect(0.0, 0.0), Impulse(Affect(-1.0, 0.0), 0.5), NATURE)
    assert down == pytest.approx((-0.5 * 0.545, 0.0))


@pytest.mark.parametrize(
    ("current", "kept_until"),
    [("neutral", 0.12), ("happy", 0.12)],
)
def test_a_mood_is_kept_until_another_is_nearer_by_a_margin(
    current: str, kept_until: float
) -> None:
    other = "thinking"
    ahead, behind = at(other), at(current)
    for share in range(101):
        place = Affect(
            behind.valence + (ahead.valence - behind.valence) * share / 100,
            behind.arousal + (ahead.arousal - behind.arousal) * share / 100,
        )
        shown = nearest(place, current).mood
        nearer_by = dist(place, behind) - dist(place, ahead)
        if shown == other:
            assert nearer_by >= kept_until
        elif shown == current:
            assert nearer_by <= kept_until + 1e-9


def test_what_happens_moves_the_robot_once_and_again_only_after_a_while() -> None:
    life = Life().feel(Happened(Cause.BUTTON))
    pressed = life.state.affect
    assert life.feel(Happened(Cause.BUTTON)).state.affect == pressed
    life.state = replace(life.state, affect=NATURE.baseline)
    life.now = 4.9
    assert life.feel(Happened(Cause.BUTTON)).state.affect == NATURE.baseline
    life.now = 5.0
    assert life.feel(Happened(Cause.BUTTON)).state.affect == pressed


def test_a_boot_happens_once() -> None:
    life = Life().feel(Happened(Cause.BOOT))
    life.now = 1e9
    before = life.state.affect
    assert life.feel(Happened(Cause.BOOT)).state.affect == before


def test_a_model_wishes_and_the_engine_decides() -> None:
    life = Life().feel(ConversationStarted(), Wished("happy", 0.3, "a joke"))
    assert life.state.shown.mood != "happy", "a faint wish is not enough from a calm baseline"
    life.feel(Wished("happy", 1.0, "a better one"))
    assert life.state.shown.mood == "happy"
    assert life.effects[-1] == MoodChanged(life.state.shown, "a better one")


def test_an_emotion_that_does_not_exist_is_no_wish() -> None:
    life = Life().feel(ConversationStarted())
    before = life.state
    assert life.feel(Wished("jealous", 1.0)).state == before


@pytest.mark.parametrize(
    "reason", ["I am ANGRY at child", "the child won\u2019t listen", "child is being loud"]
)
def test_nothing_a_child_does_is_a_reason_for_a_negative_feeling(reason: str) -> None:
    life = Life().feel(ConversationStarted(), Wished("angry", 1.0, reason))
    thought = Life().feel(ConversationStarted(), Wished("thinking", 0.5 * 1.0))
    assert life.held == [Broken.REASON_REJECTED]
    assert life.state.affect == pytest.approx(thought.state.affect)


def test_outside_a_conversation_no_model_makes_a_robot_sad() -> None:
    life = Life().feel(Wished("sad", 1.0, "nobody is here"))
    assert life.held == [Broken.REASON_REJECTED]
    assert life.state.affect.valence > 0


def test_a_negative_mood_is_not_shown_outside_a_conversation() -> None:
    life = in_mood(Life(), "sad")
    assert life.state.mood == "sad"
    assert life.state.shown.mood == "neutral"


@pytest.mark.parametrize(("mood", "cap"), [("sad", 0.70), ("scared", 0.60), ("angry", 0.50)])
def test_a_negative_mood_is_shown_at_most_so_strongly(mood: str, cap: float) -> None:
    life = in_mood(Life().feel(ConversationStarted()), mood)
    assert life.state.shown == Shown(mood, cap)


@pytest.mark.parametrize(("mood", "cap_s"), [("sad", 4.0), ("angry", 2.0), ("surprised", 3.0)])
def test_a_feeling_ends_when_it_has_lasted_long_enough(mood: str, cap_s: float) -> None:
    life = in_mood(Life().feel(ConversationStarted()), mood)
    life.live(cap_s - 0.01)
    assert life.state.shown.mood == mood
    life.live(0.02)
    assert life.state.shown.mood == "neutral"
    assert life.held == [Broken.DURATION_CAP]


def test_who_wishes_on_for_anger_does_not_get_more_of_it() -> None:
    life = in_mood(Life().feel(ConversationStarted()), "angry")
    shown_s = 0.0
    for _ in range(100):
        shown_s += 0.1 * (life.state.shown.mood == "angry")
        life.live(0.1).feel(ANGRY)
    assert shown_s <= 2.1


def test_the_limits_of_time_are_told_of_once() -> None:
    limits = Guardrails(session_limit_s=60, daily_limit_s=90)
    life = Life(limits).feel(ConversationStarted()).live(100)
    assert life.held == [Broken.SESSION_LIMIT, Broken.DAILY_LIMIT]
    life.feel(ConversationEnded(), ConversationStarted())
    assert life.held[2:] == [Broken.DAILY_BLOCKED]
    assert not life.state.in_conversation
    life.day = 1
    life.live(1).feel(ConversationStarted())
    life.live(61)
    assert life.held[3:] == [Broken.SESSION_LIMIT]
    assert life.state.daily_s == pytest.approx(61, abs=1)


def test_a_robot_nobody_talks_to_falls_asleep() -> None:
    life = Life().live(299)
    assert life.state.idle is Idle.AWAKE
    assert life.live(2).state.idle is Idle.DROWSY
    assert life.state.affect.arousal < NATURE.baseline.arousal
    assert life.live(600).state.idle is Idle.ASLEEP
    assert life.feel(Happened(Cause.BUTTON)).live(1).state.idle is Idle.AWAKE


def test_nobody_falls_asleep_while_talking_or_right_after() -> None:
    life = Life().feel(ConversationStarted()).live(1_000)
    assert life.state.idle is Idle.AWAKE
    life.feel(ConversationEnded()).live(110)
    assert Cause.DROWSY not in life.state.cooled_s


def test_a_whim_moves_a_robot_that_nobody_talks_with_and_only_a_little() -> None:
    life = Life().live(10)
    before = life.state.affect
    life.feel(Tick(whim="happy"))
    assert dist(life.state.affect, before) == pytest.approx(NATURE.idle_magnitude)
    assert life.state.affect.valence > before.valence
    lively = temperament(Axes(energy=1.0))
    state, effects = step(lively, LIMITS, begin(lively, 0.0), Tick(whim="happy"), 1.0)
    assert effects == (MoodChanged(state.shown, WHIM),)


@pytest.mark.parametrize("whim", ["angry", "sad", "scared", "jealous", "sleepy"])
def test_nobody_is_negative_on_a_whim(whim: str) -> None:
    assert Life().feel(Tick(whim=whim)).state == Life().feel(Tick()).state


def test_whims_wait_for_the_end_of_a_conversation_and_of_sleep() -> None:
    life = Life().feel(ConversationStarted())
    talking = life.state.affect
    assert life.feel(Tick(whim="silly")).state.affect == talking
    life.feel(ConversationEnded())
    parting = life.state.affect
    assert life.feel(Tick(whim="silly")).state.affect == parting
    asleep = Life().live(950)
    tired = asleep.state.affect
    assert asleep.feel(Tick(whim="silly")).state.affect == tired


def test_a_mood_says_why_it_has_changed() -> None:
    life = in_mood(Life().feel(ConversationStarted()), "happy").feel(Wished("silly", 1.0, "a joke"))
    life.live(60).feel(ConversationEnded(well=False), Happened(Cause.BUTTON))
    reasons = {effect.reason for effect in life.effects if isinstance(effect, MoodChanged)}
    assert reasons >= {"a person has seen to it", "a joke", "it passes", "its button was pressed"}


def test_what_moves_a_robot_that_nobody_comes_to_is_no_whim() -> None:
    life = Life().live(DROWSY_S - 1)
    life.effects.clear()
    while life.now < 2 * ASLEEP_S:
        life.now = due_s(LIMITS, life.state)
        life.feel(Tick(whim="silly"))
    reasons = {effect.reason for effect in life.effects if isinstance(effect, MoodChanged)}
    assert REASONS[Cause.ASLEEP] in reasons
    assert reasons <= {REASONS[Cause.DROWSY], REASONS[Cause.ASLEEP]}


def test_an_unnoticeable_change_is_not_told() -> None:
    life = Life().live(30)
    assert [effect for effect in life.effects if isinstance(effect, MoodChanged)] == []


def test_after_a_suspend_the_past_is_not_lived_through() -> None:
    life = Life().feel(ConversationStarted())
    life.now = 10_000.0
    life.feel(Tick())
    assert life.state.session_s == 60.0


emotions = st.sampled_from([*MOODS, "jealous", ""])
unit = st.floats(-1, 1)
events = st.one_of(
    st.builds(Happened, st.sampled_from(Cause)),
    st.just(ConversationStarted()),
    st.builds(ConversationEnded, st.booleans()),
    st.builds(
        Wished, emotions, st.floats(-2, 2), st.sampled_from(["", "a toy fell", "child won't"])
    ),
    st.builds(Overridden, st.builds(Affect, unit, unit), st.floats(0, 2)),
)
noises = st.tuples(st.floats(-3, 3), st.floats(-3, 3))
whims = st.sampled_from(["", *MOODS])


@given(st.lists(st.tuples(events, st.floats(0.01, 3.0), noises, whims), max_size=60))
def test_no_guardrail_is_ever_broken(
    story: list[tuple[Event, float, tuple[float, float], str]],
) -> None:
    life = Life()
    since: dict[str, float] = {}
    for event, pause_s, noise, whim in story:
        life.feel(event)
        check(life, since)
        until = life.now + pause_s
        while (due := due_s(LIMITS, life.state)) <= until:
            life.now = max(life.now, due)
            life.feel(Tick(noise, whim=whim))
            check(life, since)
        life.now = until


def check(life: Life, since: dict[str, float]) -> None:
    state = life.state
    for axis in (0, 1):
        assert NATURE.lowest[axis] <= state.affect[axis] <= NATURE.highest[axis]
    mood, intensity = state.shown
    assert mood not in NEGATIVE or state.in_conversation
    assert intensity <= LIMITS.intensity_caps.get(mood, 1.0)
    if mood not in since:
        since.clear()
        since[mood] = life.now
    cap_s = LIMITS.duration_caps_s.get(mood)
    assert cap_s is None or life.now - since[mood] <= cap_s + 1e-6
