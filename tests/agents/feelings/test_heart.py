"""What a robot's heart makes of what it is told, and what it tells."""

from random import Random

import pytest

from agents.feelings.body import Body, sensed
from agents.feelings.engine import WHIM
from agents.feelings.guardrails import Guardrails, changed
from agents.feelings.heart import LONGEST_TURN_S, QUIET_S, Heart
from agents.feelings.impulses import Cause
from agents.feelings.temperament import Axes, Temperament, temperament
from protocols.envelope import Message
from protocols.messages.affect import (
    AffectBias,
    AffectOverride,
    AffectReset,
    AffectState,
    AffectWish,
    BodySensed,
    Broken,
    GuardrailHeld,
    GuardrailSet,
    Idle,
)
from protocols.messages.face import AffectChanged
from protocols.messages.session import Attention, AttentionSet
from protocols.messages.turn import Outcome, Priority, TurnEnded, TurnStarted
from protocols.messages.voice import VoiceConfirmed

NATURE = temperament(Axes(predictability=1.0, initiative=0.0))
USER = TurnStarted(priority=Priority.USER)
DONE, FAILED = TurnEnded(outcome=Outcome.DONE), TurnEnded(outcome=Outcome.FAILED)


class Owner:
    """A heart and its clock."""

    def __init__(
        self,
        limits: Guardrails | None = None,
        spent_s: float = 0.0,
        nature: Temperament = NATURE,
    ) -> None:
        self.now = 100.0
        self.day = 7
        self.heart = Heart(nature, limits or Guardrails(), Random(1), self.now, 7, spent_s)
        self.told: list[Message] = list(self.heart.open("s1", self.now, self.day))

    def tell(self, *messages: Message, turn: int = 0) -> tuple[Message, ...]:
        new: list[Message] = []
        for message in messages:
            new += self.heart.hear(message, turn, self.now, self.day)
        self.told += new
        return tuple(new)

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while self.heart.due_s <= until:
            self.now = max(self.now, self.heart.due_s)
            self.told += self.heart.advance(self.now, self.day)
        self.now = until

    def all(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.told if isinstance(message, kind)]

    @property
    def talks(self) -> bool:
        return self.heart.state.in_conversation


def test_a_heart_says_at_once_how_it_feels() -> None:
    first, *_, last = Owner().told
    assert isinstance(first, AffectChanged)
    assert isinstance(last, AffectState)
    assert (last.mood, last.conversation_active) == (first.emotion, False)


def test_every_wish_is_answered_once_under_its_turn_whatever_comes_of_it() -> None:
    owner = Owner()
    for emotion in ("happy", "happy", "jealous", "angry"):
        wish = AffectWish(emotion=emotion, intensity=1.0, reason="child won't", conversing=True)
        told = owner.tell(wish, turn=4)
        answers = [m for m in told if isinstance(m, AffectChanged)]
        assert [answer.turn for answer in answers] == [4]
        assert answers[0].reason == ("" if emotion == "angry" else "child won't")
    assert owner.heart.state.shown.mood != "angry"
    assert [m.rule for m in owner.told if isinstance(m, GuardrailHeld)] == [Broken.REASON_REJECTED]


def test_a_wish_that_overtakes_its_turn_begins_the_conversation() -> None:
    owner = Owner()
    owner.tell(AffectWish(emotion="sad", intensity=1.0, reason="a sad story", conversing=True))
    assert owner.talks
    assert owner.all(GuardrailHeld) == []
    alone = Owner()
    alone.tell(AffectWish(emotion="sad", intensity=1.0, reason="a sad story"))
    assert not alone.talks
    assert alone.all(GuardrailHeld) != []


def test_a_conversation_lasts_until_nobody_has_said_anything_for_a_while() -> None:
    owner = Owner()
    owner.tell(USER)
    owner.wait(QUIET_S + 10)
    assert owner.talks, "the turn is still going on"
    owner.tell(DONE)
    owner.wait(QUIET_S - 1)
    owner.tell(VoiceConfirmed(utterance=2, voiced_ms=300))
    owner.wait(QUIET_S - 1)
    assert owner.talks
    owner.wait(2)
    assert not owner.talks
    assert owner.heart.state.session_s == pytest.approx(3 * QUIET_S + 8, abs=1.5)


def test_a_turn_whose_end_was_missed_does_not_last_for_ever() -> None:
    owner = Owner()
    owner.tell(USER)
    owner.wait(LONGEST_TURN_S + 1)
    assert not owner.talks


def test_an_announcement_is_no_conversation() -> None:
    owner = Owner()
    owner.tell(TurnStarted(priority=Priority.PLAN), DONE)
    assert not owner.talks


def test_a_robot_remembers_how_a_conversation_ended() -> None:
    good, bad = Owner(), Owner()
    good.tell(USER, DONE)
    bad.tell(USER, FAILED)
    good.wait(QUIET_S)
    bad.wait(QUIET_S)
    assert good.heart.state.affect.valence > bad.heart.state.affect.valence


def test_a_session_that_goes_on_goes_on_and_another_one_does_not() -> None:
    owner = Owner()
    owner.tell(USER, DONE)
    owner.now += 10
    owner.heart.open("s1", owner.now, 7)
    assert owner.talks
    owner.heart.open("s2", owner.now, 7)
    assert not owner.talks


def test_what_passes_while_nobody_is_served_is_not_talked() -> None:
    owner = Owner()
    owner.tell(USER, DONE)
    owner.now += 3_600
    owner.heart.open("s1", owner.now, 7)
    assert not owner.talks
    assert owner.heart.state.daily_s == 0.0


def test_in_a_conversation_it_is_told_every_second_how_things_stand() -> None:
    owner = Owner()
    owner.tell(USER)
    owner.told.clear()
    owner.wait(10)
    states = owner.all(AffectState)
    assert len(states) == 10
    times = [s.session_time_s for s in states if isinstance(s, AffectState)]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(10)


def test_alone_a_robot_tells_only_what_is_new() -> None:
    owner = Owner()
    owner.wait(150)  # the joy of waking is over
    owner.told.clear()
    owner.wait(149)
    assert owner.told == []
    owner.wait(2)
    states = [s for s in owner.told if isinstance(s, AffectState)]
    assert states[0].idle_state is Idle.DROWSY


def test_a_robot_with_initiative_has_whims_while_it_is_alone_and_awake() -> None:
    lively = temperament(Axes(energy=1.0, initiative=1.0))
    owner = Owner(nature=lively)
    owner.wait(290)
    whims = [m for m in owner.all(AffectChanged) if m.reason == WHIM]
    assert len(whims) >= 5
    owner.told.clear()
    owner.tell(USER)
    owner.wait(100)
    assert [m for m in owner.all(AffectChanged) if m.reason == WHIM] == []


def test_the_day_that_is_used_up_blocks_the_next_conversation_until_it_is_over() -> None:
    owner = Owner(Guardrails(daily_limit_s=60), spent_s=60)
    owner.tell(USER)
    assert not owner.talks
    assert owner.all(GuardrailHeld)[0].rule is Broken.DAILY_BLOCKED  # type: ignore[attr-defined]
    assert owner.told[-1].daily_limit_reached  # type: ignore[attr-defined]
    owner.day = 8
    owner.wait(1)
    owner.tell(USER)
    assert owner.talks


def test_a_person_may_forgive_the_day() -> None:
    owner = Owner(Guardrails(daily_limit_s=60), spent_s=60)
    state = owner.tell(GuardrailSet(reset_daily=True))[-1]
    assert isinstance(state, AffectState)
    assert not state.daily_limit_reached
    owner.tell(USER)
    assert owner.talks


def test_a_person_pushes_and_guardrails_hold() -> None:
    owner = Owner()
    push = AffectOverride(valence=-5.0, arousal=9.0, magnitude=100.0)
    told = owner.tell(push, push)
    assert owner.heart.state.affect.valence == pytest.approx(NATURE.lowest.valence)
    assert [m.emotion for m in told if isinstance(m, AffectChanged)][-1:] != ["scared"]
    owner.tell(AffectReset())
    assert owner.heart.state.affect == NATURE.baseline


def test_a_person_who_pushes_by_nan_pushes_nothing() -> None:
    owner = Owner()
    before = owner.heart.state.affect
    nan = float("nan")
    owner.tell(AffectOverride(valence=nan, arousal=nan, magnitude=nan))
    assert owner.heart.state.affect == before


def test_memories_pull_slowly() -> None:
    owner, other = Owner(), Owner()
    owner.tell(AffectBias(valence=1.0, arousal=0.0))
    owner.wait(60)
    other.wait(60)
    pulled = owner.heart.state.affect.valence - other.heart.state.affect.valence
    assert 0.1 < pulled < 0.5


def test_caps_can_be_switched_off_and_on_again() -> None:
    usual = Guardrails()
    off = changed(usual, GuardrailSet(negative_duration_caps=False, context_gate=False), usual)
    assert (off.duration_caps_s, off.context_gate) == ({}, False)
    assert off.intensity_caps == usual.intensity_caps
    assert (
        changed(off, GuardrailSet(negative_duration_caps=True, context_gate=True), usual) == usual
    )


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_a_limit_that_is_none_changes_nothing(bad: float) -> None:
    usual = Guardrails()
    order = GuardrailSet(session_time_limit_s=bad, daily_time_limit_s=0.0)
    after = changed(usual, order, usual)
    assert after.session_limit_s == usual.session_limit_s
    assert after.daily_limit_s == 0.0


def test_limits_of_one_robot_hold_for_its_session_and_give_way_to_the_usual_ones() -> None:
    owner = Owner(Guardrails(session_limit_s=60, daily_limit_s=600))
    owner.tell(GuardrailSet(session_time_limit_s=20.0, daily_time_limit_s=0.0))
    assert (owner.heart.limits.session_limit_s, owner.heart.limits.daily_limit_s) == (20, 0)
    owner.tell(GuardrailSet(session_time_limit_s=30.0, usual_limits=True))
    assert (owner.heart.limits.session_limit_s, owner.heart.limits.daily_limit_s) == (30, 600)
    owner.heart.open("s1", owner.now, owner.day)
    assert owner.heart.limits.session_limit_s == 30, "the same session goes on"
    owner.heart.open("s2", owner.now, owner.day)
    assert owner.heart.limits == Guardrails(session_limit_s=60, daily_limit_s=600)


def test_a_hand_on_the_button_is_felt() -> None:
    owner = Owner()
    before = owner.heart.state.affect
    owner.tell(AttentionSet(attention=Attention.OPEN))
    assert owner.heart.state.affect == before
    owner.tell(AttentionSet(attention=Attention.PUSH_TO_TALK, held=True))
    assert owner.heart.state.affect != before


# the body


def happened(*told: BodySensed) -> list[Cause]:
    body, causes = Body(), []
    for each in told:
        body, new = sensed(body, each)
        causes += new
    return causes


def test_a_battery_is_low_once_and_again_only_after_it_was_well() -> None:
    levels = [50, 25, 24, 26, 25, 30, 25]
    assert happened(*(BodySensed(battery_pct=level) for level in levels)) == [
        Cause.LOW_BATTERY, Cause.LOW_BATTERY,
    ]  # fmt: skip


def test_a_battery_that_is_nearly_empty_is_worse_than_low() -> None:
    levels = [30, 10, -1, 10]
    assert happened(*(BodySensed(battery_pct=level) for level in levels)) == [
        Cause.CRITICAL_BATTERY
    ]


def test_faults_come_and_go() -> None:
    assert happened(BodySensed(faulty=True), BodySensed(faulty=True), BodySensed()) == [
        Cause.FAULT_RAISED, Cause.FAULT_CLEARED,
    ]  # fmt: skip


def test_only_what_is_new_has_happened() -> None:
    old = BodySensed(events=("face.button.press", "skill greet"))
    new = BodySensed(events=("skill greet", "face.button.click", "fault.raised"))
    assert happened(old) == [], "nobody knows when that was"
    assert happened(old, new, new) == [Cause.BUTTON]
