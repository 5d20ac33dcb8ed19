"""What happens in a turn: ``step(state, event, now) → (state, effects)``.

No clock, socket or task is in here: every rule of a conversation is a row of ``_AGENT_RULES``,
``_USER_RULES``, ``_EVENT_RULES`` or ``_TIMER_RULES``. The usual turn runs down the page:

    voice.started → utterance.ended → transcript.final → turn.start
    → response.meta (the face) → response.delta* → speech.request* → speech.chunk*
    → played → turn.ended

A voice while the robot speaks ducks it at once, holds it once confirmed, and cuts it once it is
plain that the user means it; if not, the robot goes on from the sample it was held at. What has
a turn number at or below the fence is dropped before any rule sees it.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from hub.session import announcing, answering, attention, feeling, listening, presence, speaking
from hub.session import effects as do
from hub.session import events as on
from hub.session.draft import Draft
from hub.session.state import State, Timer
from hub.session.words import instant_act
from protocols.envelope import Message
from protocols.messages import (
    action,
    affect,
    face,
    robot,
    speech,
    transcript,
    turn,
    voice,
)
from protocols.messages.agent import AgentKind
from protocols.messages.turn import Outcome


def step(state: State, event: on.Event, now_ns: int) -> tuple[State, tuple[do.Effect, ...]]:
    """The next state of a robot's session and what is to be done, in order."""
    draft = Draft(state, now_ns)
    _EVENT_RULES[type(event)](draft, event)
    answering.answer_what_waits(draft)
    announcing.say_what_was_left_unsaid(draft)
    announcing.remind_of_the_time(draft)
    presence.become(draft)
    announcing.say_what_waits(draft)
    attention.keep_the_window(draft)
    return draft.state, tuple(draft.effects)


def _agent_up(d: Draft, e: on.AgentUp) -> None:
    d.set(agents=d.state.agents | {(e.kind, e.role)})
    if d.state.connected and (e.kind, e.role) in presence.serving(d):
        presence.assign(d, e.kind, e.role)
    if e.kind is AgentKind.MEMORY and d.state.connected and d.state.memory is None:
        d.do(do.Recall())


def _agent_down(d: Draft, e: on.AgentDown) -> None:
    d.set(agents=d.state.agents - {(e.kind, e.role)})
    live = d.turn
    if e.kind is AgentKind.EARS:
        d.set(utterance=None)
        listening.nothing_said(d)
    elif e.kind is AgentKind.STT:
        listening.recogniser_lost(d)
    elif e.kind is AgentKind.PLANNER and live and live.role == e.role and not live.text_done:
        answering.fall_back(d, "planner_down")
    elif e.kind is AgentKind.TTS and live:
        d.lose_voice("tts_down")
    elif e.kind is AgentKind.VISION and not d.state.sees:
        answering.give_up_looking(d, turn.Unseen.NO_VISION_AGENT)
    elif e.kind is AgentKind.FEELINGS:
        feeling.lost(d)


def _cancel(d: Draft, mic_samples: int) -> None:
    heard = d.state.utterance or d.state.awaited
    number = heard.number if heard else 0
    listening.drop_utterance(d, number, voice.DropReason.MUTED, mic_samples)
    d.set(awaited=None, carried="", reopens=0)
    d.disarm(Timer.TRANSCRIPT)
    if d.turn:
        d.end(Outcome.CANCELLED, "client")
    else:
        d.rest()


def _typed(d: Draft, m: robot.Text) -> None:
    text = " ".join(m.text.split())
    act = instant_act(text)
    if act:
        listening.act_at_once(d, act)
    elif text:
        answering.user_says(d, text)


def _end_utterance(d: Draft, mic_samples: int) -> None:
    d.order(AgentKind.EARS, voice.UtteranceClose(last_sample=mic_samples))


def _world(d: Draft, m: robot.World) -> None:
    d.set(world=MappingProxyType(m.world))
    feeling.sensed(d, m.world)


def _profile(d: Draft, m: robot.Profile) -> None:
    d.set(profile=MappingProxyType(m.profile))
    feeling.own_feelings(d)


def _action_result(d: Draft, m: robot.ActionResult) -> None:
    d.report(action.ActionDone(id=m.id, ok=m.ok, detail=m.detail))


def _from_agent(d: Draft, e: on.FromAgent) -> None:
    kind = type(e.message)
    if kind is turn.TurnFailed and not e.turn and d.state.connected:
        _serving_failed(d, e)
        return
    if not _is_wanted(d, e) or (kind in _OF_A_TURN and _is_stale(d, e)):
        d.do(do.Stale(kind.__name__))
        return
    match e.message:
        case voice.UtteranceEnded():
            listening.utterance_ended(d, e.message, e.t_src_ns)
        case turn.TurnFailed():
            answering.turn_failed(d, e.message, e.kind)
        case _:
            _AGENT_RULES[kind](d, e.message)


def _is_wanted(d: Draft, e: on.FromAgent) -> bool:
    """While the robot is away its turn goes on, and so do its feelings and the transcript that is
    due; there is nobody to listen to. Nobody feels for one that does so itself."""
    if e.kind is AgentKind.FEELINGS and not d.state.feels:
        return False
    return d.state.connected or (d.state.in_session and type(e.message) in _WANTED_WHILE_AWAY)


def _serving_failed(d: Draft, e: on.FromAgent) -> None:
    """Ears or stt gave the session up: what it was doing is lost, and it is asked again."""
    _agent_down(d, on.AgentDown(e.kind, e.role))
    _agent_up(d, on.AgentUp(e.kind, e.role))


def _is_stale(d: Draft, e: on.FromAgent) -> bool:
    """Of a turn that is not the live one, or of a planner that lost or finished it."""
    live = d.turn
    if live is None or e.turn != live.number:
        return True
    return e.kind is AgentKind.PLANNER and (e.role != live.role or live.text_done)


def _from_user(d: Draft, e: on.FromUser) -> None:
    if not d.state.connected:
        return
    match e.message:
        case robot.EndUtterance():
            _end_utterance(d, e.mic_samples)
        case robot.Cancel():
            _cancel(d, e.mic_samples)
        case robot.Wake():
            attention.called(d, e.message, e.mic_samples)
        case _:
            _USER_RULES[type(e.message)](d, e.message)


def _tick(d: Draft, _: on.Tick) -> None:
    due = [t for t, at in d.state.timers.items() if at <= d.now_ns]
    for timer in due:
        if timer in d.state.timers:
            d.disarm(timer)
            _TIMER_RULES[timer](d)


Rule = Callable[[Draft, Any], None]

_AGENT_RULES: dict[type[Message], Rule] = {
    voice.VoiceStarted: listening.voice_started,
    voice.VoiceConfirmed: listening.voice_confirmed,
    voice.VoiceLasted: listening.voice_lasted,
    voice.VoiceStopped: listening.voice_stopped,
    voice.UtteranceDropped: listening.utterance_dropped,
    voice.WakeDetected: attention.woken,
    voice.WakeUnheard: attention.unheard,
    transcript.TranscriptPartial: listening.partial,
    transcript.TranscriptFinal: listening.final,
    transcript.TranscriptFailed: listening.transcript_failed,
    turn.ResponseMeta: answering.meta,
    turn.ResponseDelta: answering.delta,
    turn.ResponseDone: answering.response_done,
    turn.ToolPending: answering.tool_pending,
    turn.ToolDone: answering.tool_done,
    face.AffectChanged: feeling.felt,
    affect.AffectState: feeling.stands,
    affect.GuardrailHeld: feeling.held,
    speech.SpeechMarks: speaking.marks,
    speech.SpeechEnded: speaking.speech_ended,
}

_OF_A_TURN = frozenset({
    turn.ResponseMeta, turn.ResponseDelta, turn.ResponseDone, turn.ToolPending, turn.ToolDone,
    turn.TurnFailed, speech.SpeechMarks, speech.SpeechEnded,
})  # fmt: skip

_WANTED_WHILE_AWAY = _OF_A_TURN | {
    transcript.TranscriptFinal, transcript.TranscriptFailed, face.AffectChanged,
    affect.AffectState, affect.GuardrailHeld,
}  # fmt: skip

HEARS: tuple[type[Message], ...] = (*_AGENT_RULES, voice.UtteranceEnded, turn.TurnFailed)
"""The facts of agents that this engine has rules for."""

_USER_RULES: dict[type, Rule] = {
    robot.Text: _typed,
    robot.AttentionRequest: attention.requested,
    robot.MicSwitch: attention.switched,
    robot.World: _world,
    robot.Profile: _profile,
    robot.ActionResult: _action_result,
}

_TIMER_RULES: dict[Timer, Callable[[Draft], None]] = {
    Timer.PLANNER: answering.planner_due,
    Timer.FILLER: answering.filler_due,
    Timer.TRANSCRIPT: listening.transcript_due,
    Timer.BARGE: listening.barge_due,
    Timer.SILENCE: answering.silence_due,
    Timer.AFFECT: feeling.affect_due,
    Timer.MOOD: feeling.mood_due,
    Timer.AWAY: presence.away_due,
    Timer.UNSAID: presence.unsaid_due,
    Timer.LOOK: answering.look_due,
    Timer.WAITING: announcing.waiting_due,
    Timer.ATTENDED: attention.attended_due,
    Timer.FOLLOW_UP: attention.follow_up_due,
}

_EVENT_RULES: dict[type, Rule] = {
    on.Connected: presence.connected,
    on.Disconnected: presence.disconnected,
    on.Restarted: presence.restarted,
    on.FromAgent: _from_agent,
    on.FromUser: _from_user,
    on.SpeechArrived: speaking.speech_arrived,
    on.SpeechSent: speaking.speech_sent,
    on.SpeechHeard: speaking.speech_heard,
    on.Announce: announcing.announce,
    on.Characterised: presence.characterised,
    on.Reminded: answering.reminded,
    on.Seen: answering.seen,
    on.Recalled: feeling.recalled,
    on.Attend: attention.attend,
    on.Felt: feeling.ordered,
    on.AgentUp: _agent_up,
    on.AgentDown: _agent_down,
    on.Tick: _tick,
}
