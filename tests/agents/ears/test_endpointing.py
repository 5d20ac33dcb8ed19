"""The endpointer as tables: windows in, events out."""

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.ears.endpointing import (
    DEFAULT_RULES,
    AskTurnModel,
    Event,
    Rules,
    State,
    Window,
    close,
    drop,
    gap,
    hold,
    judged,
    needed_silence_ms,
    skip,
    step,
)
from protocols.messages.voice import (
    DropReason,
    EndReason,
    UtteranceDropped,
    UtteranceEnded,
    VoiceConfirmed,
    VoiceLasted,
    VoiceStarted,
    VoiceStopped,
)

W = 512
VOICE, MAYBE, SILENCE = 0.9, 0.4, 0.05


NEW = State()


PATIENT = dataclasses.replace(DEFAULT_RULES, start_ms=64)
"""Two windows make a voice."""


def heard(
    probabilities: Sequence[float], state: State = NEW, rules: Rules = DEFAULT_RULES
) -> tuple[State, list[Event]]:
    """Windows of these probabilities, one after the other."""
    events: list[Event] = []
    for probability in probabilities:
        first = state.position
        state, more = step(rules, state, Window(first, first + W, probability))
        events += more
    return state, events


def only(events: Sequence[Event], kind: type[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


SPOKEN = [SILENCE] * 20 + [VOICE] * 30


def test_one_loud_window_is_no_voice_where_two_are_asked_for() -> None:
    state, events = heard([SILENCE, VOICE, SILENCE] * 20, rules=PATIENT)
    assert (state.utterance, events) == (0, [])


def test_one_loud_window_ducks_and_nothing_more() -> None:
    _, events = heard([SILENCE] * 5 + [VOICE] + [SILENCE] * 40)
    assert [type(event) for event in events] == [VoiceStarted, VoiceStopped, UtteranceDropped]


def test_a_window_of_voice_starts_one_and_eight_confirm_it() -> None:
    _, events = heard([SILENCE] * 20 + [VOICE] * 8)
    assert events == [
        VoiceStarted(utterance=1, first_sample=20 * W, probability=VOICE),
        VoiceConfirmed(utterance=1, voiced_ms=256),
    ]


def test_a_voice_that_goes_on_is_told_once_however_it_came() -> None:
    _, events = heard([VOICE] * 18 + [SILENCE])
    assert not only(events, VoiceLasted)
    _, events = heard([VOICE] * 10 + [SILENCE] * 5 + [VOICE] * 30)
    assert only(events, VoiceLasted) == [VoiceLasted(utterance=1, voiced_ms=608)]


def test_a_voice_that_paused_is_measured_anew() -> None:
    _, events = heard(([VOICE] * 15 + [SILENCE] * 8) * 2 + [VOICE] * 19)
    assert [e.utterance for e in only(events, VoiceConfirmed)] == [1, 1, 1]
    assert len(only(events, VoiceLasted)) == 1


def test_a_voice_that_fades_stays_on_down_to_the_lower_threshold() -> None:
    _, events = heard(SPOKEN + [MAYBE] * 20)
    assert not only(events, VoiceStopped)


def test_what_is_neither_voice_nor_silence_does_not_end_a_pause() -> None:
    _, events = heard(SPOKEN + [SILENCE] + [MAYBE] * 5)
    assert only(events, VoiceStopped)


def test_a_pause_stops_the_voice_and_asks_the_turn_model() -> None:
    _, events = heard(SPOKEN + [SILENCE] * 6)
    assert events[-2:] == [
        VoiceStopped(utterance=1, last_sample=50 * W, voiced_ms=960),
        AskTurnModel(utterance=1, speech_end=50 * W),
    ]


def test_silence_ends_an_utterance_that_carries_its_lead_in() -> None:
    _, events = heard(SPOKEN + [SILENCE] * 30)
    assert events[-1] == UtteranceEnded(
        utterance=1,
        first_sample=20 * W - 4_800,
        last_sample=72 * W,
        speech_end_sample=50 * W,
        reason=EndReason.SILENCE,
    )


def test_a_finished_sentence_ends_at_the_models_word() -> None:
    state, _ = heard(SPOKEN + [SILENCE] * 6)
    _, events = judged(DEFAULT_RULES, state, AskTurnModel(1, 50 * W), 0.9)
    [ended] = events
    assert isinstance(ended, UtteranceEnded)
    assert (ended.reason, ended.last_sample, ended.probability) == (
        EndReason.TURN_MODEL,
        56 * W,
        0.9,
    )


def test_an_unfinished_sentence_gets_more_time_but_never_for_ever() -> None:
    state, _ = heard(SPOKEN + [SILENCE] * 6)
    state, events = judged(DEFAULT_RULES, state, AskTurnModel(1, 50 * W), 0.0)
    assert not events
    state, events = heard([SILENCE] * 43, state)
    assert not events
    _, events = heard([SILENCE], state)
    assert isinstance(events[-1], UtteranceEnded)
    assert events[-1].reason is EndReason.SILENCE


@pytest.mark.parametrize("asked", [AskTurnModel(1, 49 * W), AskTurnModel(2, 50 * W)])
def test_an_answer_about_another_silence_changes_nothing(asked: AskTurnModel) -> None:
    state, _ = heard(SPOKEN + [SILENCE] * 6)
    assert judged(DEFAULT_RULES, state, asked, 1.0) == (state, ())


def test_an_answer_does_not_end_an_utterance_whose_voice_may_be_coming_back() -> None:
    state, _ = heard(SPOKEN + [SILENCE] * 6 + [VOICE], rules=PATIENT)
    state, events = judged(PATIENT, state, AskTurnModel(1, 50 * W), 1.0)
    assert not events
    assert only(heard([VOICE], state, PATIENT)[1], VoiceStarted)
    assert only(heard([SILENCE], state, PATIENT)[1], UtteranceEnded)


def test_a_voice_that_comes_back_belongs_to_the_same_utterance() -> None:
    _, events = heard(SPOKEN + [SILENCE] * 10 + [VOICE] * 10)
    assert [e.utterance for e in events if isinstance(e, VoiceStarted)] == [1, 1]
    assert len(only(events, VoiceConfirmed)) == 2


def test_a_knock_is_dropped_as_too_short() -> None:
    _, events = heard([SILENCE] * 5 + [VOICE] * 3 + [SILENCE] * 30)
    assert events[-1] == UtteranceDropped(utterance=1, reason=DropReason.TOO_SHORT)
    assert not only(events, AskTurnModel)


def test_whoever_pauses_long_is_given_more_silence() -> None:
    pausing = (SPOKEN + [SILENCE] * 18) * 3
    state, _ = heard(pausing + [VOICE] * 10)
    assert needed_silence_ms(DEFAULT_RULES, state) > DEFAULT_RULES.silence_ms


def test_whoever_pauses_briefly_is_answered_sooner() -> None:
    state, _ = heard(([VOICE] * 20 + [SILENCE] * 7) * 5 + [VOICE] * 5)
    assert needed_silence_ms(DEFAULT_RULES, state) == DEFAULT_RULES.silence_min_ms


def test_a_voice_that_returns_right_after_an_end_shows_that_it_was_a_pause() -> None:
    state, _ = heard(SPOKEN + [SILENCE] * 30 + [VOICE] * 10)
    assert state.number == 2
    assert needed_silence_ms(DEFAULT_RULES, state) == DEFAULT_RULES.silence_max_ms


def test_a_gap_counts_neither_as_silence_nor_as_voice() -> None:
    paused, _ = heard(SPOKEN + [SILENCE] * 10)
    after_gap = skip(paused, paused.position + 16_000)
    state, events = heard([SILENCE], after_gap)
    assert not events
    assert state.silence == paused.silence + W


def test_utterances_share_no_sample() -> None:
    _, events = heard(([VOICE] * 30 + [SILENCE] * 23) + ([VOICE] * 30 + [SILENCE] * 40))
    ends = [e for e in events if isinstance(e, UtteranceEnded)]
    assert len(ends) == 2
    assert ends[1].first_sample == ends[0].last_sample


def test_an_endless_voice_is_cut_at_the_longest_length_and_goes_on_as_another() -> None:
    _, events = heard([VOICE] * (32 * 32))
    [ended] = only(events, UtteranceEnded)
    assert isinstance(ended, UtteranceEnded)
    assert ended.reason is EndReason.MAX_LENGTH
    assert ended.last_sample - ended.first_sample == 938 * W
    assert [e.utterance for e in events if isinstance(e, VoiceStarted)] == [1, 2]


def test_a_dropped_voice_begins_no_new_utterance_before_it_has_paused() -> None:
    state, _ = heard(SPOKEN)
    state = drop(state, ignore_voice=True)
    state, events = heard([VOICE] * 50, state)
    assert not events
    _, events = heard([SILENCE] * 6 + [VOICE] * 2, state)
    assert [e.utterance for e in events if isinstance(e, VoiceStarted)] == [2]


@pytest.mark.parametrize(("missing_ms", "heard_anew"), [(1_000, False), (2_000, True)])
def test_a_dropped_voice_is_not_expected_to_outlast_a_long_gap(
    missing_ms: int, heard_anew: bool
) -> None:
    state, _ = heard([VOICE] * 20)
    state = drop(state, ignore_voice=True)
    missing = missing_ms * 16
    state = gap(DEFAULT_RULES, state, missing, state.position + missing)
    _, events = heard([VOICE] * 4, state)
    assert bool(only(events, VoiceStarted)) is heard_anew


def test_a_held_utterance_is_not_ended_by_silence() -> None:
    state, events = heard([SILENCE] * 100 + [VOICE] * 10 + [SILENCE] * 100, hold(State(), 0))
    assert [type(e) for e in events] == [VoiceStarted, VoiceConfirmed, VoiceStopped]
    _, [ended] = close(DEFAULT_RULES, state, 210 * W, need_voice=True)
    assert ended == UtteranceEnded(
        utterance=1,
        first_sample=0,
        last_sample=210 * W,
        speech_end_sample=110 * W,
        reason=EndReason.CLIENT,
    )


@pytest.mark.parametrize(
    ("state", "need_voice", "reason"),
    [
        (State(position=900), False, DropReason.EMPTY),
        (replace(hold(State(), 900), position=900), False, DropReason.EMPTY),
        (replace(hold(State(), 0), position=900), True, DropReason.TOO_SHORT),
    ],
)
def test_closing_on_nothing_drops(state: State, need_voice: bool, reason: DropReason) -> None:
    after, events = close(DEFAULT_RULES, state, 900, need_voice=need_voice)
    assert events == (UtteranceDropped(utterance=1, reason=reason),)
    assert (after.number, after.utterance) == (1, 0)


@given(st.lists(st.sampled_from([VOICE, MAYBE, SILENCE]), max_size=400))
def test_whatever_is_heard_utterances_are_whole_ordered_and_disjoint(heard_as: list[float]) -> None:
    _, events = heard(heard_as)
    open_utterance, floor = 0, 0
    for event in events:
        match event:
            case VoiceStarted():
                assert event.utterance in (open_utterance, open_utterance or floor + 1)
                open_utterance = event.utterance
            case UtteranceEnded() | UtteranceDropped():
                assert event.utterance == open_utterance
                open_utterance, floor = 0, event.utterance
            case VoiceConfirmed() | VoiceLasted() | VoiceStopped() | AskTurnModel():
                assert event.utterance == open_utterance
    ends = [e for e in events if isinstance(e, UtteranceEnded)]
    for ended, following in pairwise(ends):
        assert ended.first_sample < ended.speech_end_sample <= ended.last_sample
        assert following.first_sample >= ended.last_sample
