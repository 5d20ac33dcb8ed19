"""When a voice begins and pauses, and when an utterance is over. Pure, and on sample time.

Every decision is a function of the state and one judged window of sound, so a second of audio
that arrives in a burst is one second of audio. A gap is unknown sound: it moves the position and
counts neither as silence nor as voice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from protocols.envelope import Message
from protocols.messages.audio import MIC_RATE_HZ
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

_PER_MS = MIC_RATE_HZ // 1000


@dataclass(frozen=True, slots=True)
class Rules:
    """Every number of the endpointer. Probabilities are those of voice in a window."""

    start_probability: float = 0.5
    """A voice begins, or comes back from a pause, at windows of this and above."""
    stop_probability: float = 0.35
    """A voice that is on stays on down to this."""
    start_ms: int = 32
    """How long windows must be of voice, without a break, before ``voice.started``: one window,
    since a robot that ducked for nothing is heard again at once, and one that ducks late is not."""
    confirm_ms: int = 250
    """Voice since ``voice.started`` after which it is speech rather than a knock."""
    lasting_ms: int = 600
    """Voice since ``voice.started`` that is longer than a backchannel's, and interrupts a robot
    whatever it says. Counted here, in samples: a link that stalls makes nobody speak longer."""
    pause_ms: int = 192
    """Silence after which the voice has stopped and the turn model is asked."""
    min_voiced_ms: int = 150
    """An utterance with less voice is dropped."""
    lead_in_ms: int = 300
    """Sound before the voice that belongs to the utterance: soft onsets are no voice yet."""
    max_utterance_ms: int = 30_000
    silence_ms: int = 700
    """Silence that ends an utterance of a speaker whose pauses are not known yet."""
    silence_min_ms: int = 500
    silence_max_ms: int = 1_200
    unfinished_ms: int = 1_600
    """Silence that ends an utterance of which the turn model was sure that it goes on."""
    complete_probability: float = 0.5
    """The turn model's word for "finished"; at or above it the utterance is over at once."""
    resume_ms: int = 1_500
    """A voice that returns this soon after an end shows that the end was a pause."""


DEFAULT_RULES = Rules()

INSTANT = Rules(
    start_ms=0,
    confirm_ms=0,
    pause_ms=0,
    min_voiced_ms=0,
    lead_in_ms=0,
    silence_ms=0,
    silence_min_ms=0,
    silence_max_ms=0,
    unfinished_ms=0,
)
"""Scripted ears: a voice starts and confirms, and its end ends an utterance, at once."""


class Window(NamedTuple):
    """Samples ``first`` to ``end`` (exclusive) and the probability that they hold a voice."""

    first: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class AskTurnModel:
    """Effect: ask whether the utterance is complete, if it fell silent at ``speech_end``."""

    utterance: int
    speech_end: int


Event = Message | AskTurnModel
Events = Sequence[Event]
NO_EVENTS: Events = ()


class State(msgspec.Struct, frozen=True, gc=False):
    """What the endpointer knows of one microphone. Lengths and positions are in samples.

    ``utterance`` is 0 between utterances. ``number`` is the last one used, ``floor`` the end of
    what earlier utterances took, ``run`` the unbroken voice that may become a ``voice.started``.
    """

    number: int = 0
    position: int = 0
    floor: int = 0
    utterance: int = 0
    held: bool = False
    """The utterance is bounded by orders, not by silence."""
    first_sample: int = 0
    run_from: int = 0
    run: int = 0
    voice: bool = False
    stretch: int = 0
    """Voice since ``voice.started``."""
    confirmed: bool = False
    lasted: bool = False
    voiced: int = 0
    """Voice of the whole utterance."""
    speech_end: int = 0
    silence: int = 0
    """Silence that was heard since ``speech_end``."""
    verdict: float = -1.0
    """The turn model's answer about this silence, -1 while there is none."""
    usual_pause: int = 0
    """Mean length of this speaker's pauses, 0 while none is known."""
    ignoring: bool = False
    """The voice that is on was declared to be none of ours; wait for it to pause."""


Step = tuple[State, Events]


def step(rules: Rules, state: State, window: Window) -> Step:
    """Take one judged window. Windows come in order and do not overlap."""
    if state.ignoring:
        return _wait_for_pause(rules, state, window), NO_EVENTS
    if state.voice:
        state, events = _voice_goes_on(rules, state, window)
    else:
        state, events = _voice_may_begin(rules, state, window)
    if state.utterance:
        state, ending = _maybe_over(rules, state)
        return state, (*events, *ending)
    return state, events


def skip(state: State, to: int) -> State:
    """Go on at sample ``to``; what lies between is unknown."""
    return replace(state, position=to, run=0)


def gap(rules: Rules, state: State, missing: int, to: int) -> State:
    """``missing`` samples before sample ``to`` did not come. A voice that is ignored may have
    paused in as many as lie between two utterances: what is heard then is a new one."""
    paused = missing > rules.resume_ms * _PER_MS
    return skip(replace(state, ignoring=state.ignoring and not paused), to)


def forget(state: State, upto: int) -> State:
    """Between utterances: the next one takes sound from sample ``upto`` on, and no earlier sound
    is judged."""
    return skip(replace(state, floor=upto), max(state.position, upto))


def judged(rules: Rules, state: State, asked: AskTurnModel, probability: float) -> Step:
    """Take the turn model's answer; one about another silence changes nothing."""
    if asked != AskTurnModel(state.utterance, state.speech_end):
        return state, NO_EVENTS
    return _maybe_over(rules, replace(state, verdict=probability))


def hold(state: State, first_sample: int) -> State:
    """Begin an utterance that lasts until :func:`close`."""
    number = state.number + 1
    first = max(state.floor, first_sample)
    return replace(
        _between(state), number=number, utterance=number, held=True, first_sample=first,
        speech_end=first,
    )  # fmt: skip


def close(rules: Rules, state: State, last_sample: int, *, need_voice: bool) -> Step:
    """End the utterance at ``last_sample`` by order.

    Without an utterance, or with an empty one, it is dropped as empty; with ``need_voice`` also
    where no voice was heard in it.
    """
    if not state.utterance or last_sample <= state.first_sample:
        number = state.utterance or state.number + 1
        dropped = UtteranceDropped(utterance=number, reason=DropReason.EMPTY)
        return replace(_between(state), number=number), (dropped,)
    if need_voice and not state.voiced:
        return _between(state), (
            UtteranceDropped(utterance=state.utterance, reason=DropReason.TOO_SHORT),
        )
    # What the utterance took is not judged any more: it must not begin another one.
    return _ended(skip(state, max(state.position, last_sample)), last_sample, EndReason.CLIENT)


def drop(state: State, *, ignore_voice: bool) -> State:
    """Forget the utterance. With ``ignore_voice``, the voice that is on begins no new one before
    it has paused: the hub took it for the robot's own."""
    return replace(_between(state), ignoring=ignore_voice and state.voice)


def needed_silence_ms(rules: Rules, state: State) -> int:
    """Silence after which the utterance is over: by the turn model's answer, else by how long
    this speaker pauses. "Not done" only makes it longer, the longer the surer the model is."""
    if state.verdict >= rules.complete_probability:
        return rules.pause_ms
    by_habit = rules.silence_ms
    if state.usual_pause:
        twice = 2 * state.usual_pause // _PER_MS
        by_habit = min(max(twice, rules.silence_min_ms), rules.silence_max_ms)
    if state.verdict < 0:
        return by_habit
    doubt = state.verdict / rules.complete_probability
    patience = rules.unfinished_ms - doubt * (rules.unfinished_ms - rules.silence_max_ms)
    return max(by_habit, round(patience))


def _voice_may_begin(rules: Rules, state: State, window: Window) -> Step:
    length = window.end - window.first
    silence = state.silence + length if state.utterance else 0
    if window.probability < rules.start_probability:
        return replace(state, position=window.end, run=0, silence=silence), NO_EVENTS
    run_from = state.run_from if state.run else window.first
    run = state.run + length
    state = replace(state, position=window.end, run_from=run_from, run=run, silence=silence)
    if run < rules.start_ms * _PER_MS:
        return state, NO_EVENTS
    return _voice_on(rules, state, window.probability)


def _voice_on(rules: Rules, state: State, probability: float) -> Step:
    state = _learn_pause(rules, state)
    if not state.utterance:
        state = replace(
            state,
            number=state.number + 1,
            utterance=state.number + 1,
            first_sample=max(state.floor, state.run_from - rules.lead_in_ms * _PER_MS),
        )
    started = VoiceStarted(
        utterance=state.utterance, first_sample=state.run_from, probability=probability
    )
    state = replace(
        state, voice=True, run=0, stretch=state.run, voiced=state.voiced + state.run, silence=0,
        speech_end=state.position, verdict=-1.0, confirmed=False, lasted=False,
    )  # fmt: skip
    state, events = _measured(rules, state)
    return state, (started, *events)


def _voice_goes_on(rules: Rules, state: State, window: Window) -> Step:
    length = window.end - window.first
    # Once silence has begun, only a clear voice ends it: its probability decays through the middle.
    enough = rules.start_probability if state.silence else rules.stop_probability
    if window.probability >= enough:
        state = replace(
            state, position=window.end, stretch=state.stretch + length, silence=0,
            voiced=state.voiced + length, speech_end=window.end,
        )  # fmt: skip
        return _measured(rules, state)
    state = replace(state, position=window.end, silence=state.silence + length)
    if state.silence < rules.pause_ms * _PER_MS:
        return state, NO_EVENTS
    stopped = VoiceStopped(
        utterance=state.utterance,
        last_sample=state.speech_end,
        voiced_ms=state.voiced // _PER_MS,
    )
    state = replace(state, voice=False, run=0, verdict=-1.0)
    if state.held or state.voiced < rules.min_voiced_ms * _PER_MS:
        return state, (stopped,)
    return state, (stopped, AskTurnModel(state.utterance, state.speech_end))


def _measured(rules: Rules, state: State) -> Step:
    """Say once that the voice is speech, and once that it goes on."""
    number, voiced_ms = state.utterance, state.stretch // _PER_MS
    events: Events = NO_EVENTS
    if not state.confirmed and voiced_ms >= rules.confirm_ms:
        events = (VoiceConfirmed(utterance=number, voiced_ms=voiced_ms),)
        state = replace(state, confirmed=True)
    if not state.lasted and voiced_ms >= rules.lasting_ms:
        events = (*events, VoiceLasted(utterance=number, voiced_ms=voiced_ms))
        state = replace(state, lasted=True)
    return state, events


def _maybe_over(rules: Rules, state: State) -> Step:
    """End the utterance if it is too long, or silent for long enough and no voice may be
    coming back."""
    if state.position - state.first_sample >= rules.max_utterance_ms * _PER_MS:
        return _ended(state, state.position, EndReason.MAX_LENGTH)
    if state.held or state.voice or state.run:
        return state, NO_EVENTS
    if state.silence < needed_silence_ms(rules, state) * _PER_MS:
        return state, NO_EVENTS
    if state.voiced < rules.min_voiced_ms * _PER_MS:
        dropped = UtteranceDropped(utterance=state.utterance, reason=DropReason.TOO_SHORT)
        return _between(state), (dropped,)
    by_model = state.verdict >= rules.complete_probability
    return _ended(state, state.position, EndReason.TURN_MODEL if by_model else EndReason.SILENCE)


def _ended(state: State, last_sample: int, reason: EndReason) -> Step:
    speech_end = state.speech_end if state.voiced else last_sample
    ended = UtteranceEnded(
        utterance=state.utterance,
        first_sample=state.first_sample,
        last_sample=last_sample,
        speech_end_sample=min(speech_end, last_sample),
        reason=reason,
        probability=state.verdict,
    )
    return replace(_between(state), floor=last_sample, speech_end=speech_end), (ended,)


def _between(state: State) -> State:
    """The state without its utterance."""
    return State(
        number=state.number,
        position=state.position,
        floor=state.position if state.utterance else state.floor,
        usual_pause=state.usual_pause,
    )


def _learn_pause(rules: Rules, state: State) -> State:
    """Count the silence before this voice if it was a pause inside what somebody says."""
    if not state.speech_end or (state.utterance and not state.voiced):
        return state
    pause = state.run_from - state.speech_end
    if pause > rules.resume_ms * _PER_MS:
        return state
    mean = (3 * state.usual_pause + pause) // 4 if state.usual_pause else pause
    return replace(state, usual_pause=mean)


def _wait_for_pause(rules: Rules, state: State, window: Window) -> State:
    quiet = window.probability < rules.stop_probability
    silence = state.silence + window.end - window.first if quiet else 0
    over = silence >= rules.pause_ms * _PER_MS
    return replace(state, position=window.end, silence=0 if over else silence, ignoring=not over)
