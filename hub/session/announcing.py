"""Rules of turns that the robot begins: announcements, at once or when it is free, and what the hub
itself has to say.

What waits until the robot is free ends in a fate as everything else does: it is said, or its sender
is told why not (``expired``, ``queue_full``, ``quiet_hours``, ``disconnected``).
"""

from hub.session import answering, feeling
from hub.session import effects as do
from hub.session import events as on
from hub.session.draft import Draft
from hub.session.preemption import RANK, Claim, decide
from hub.session.state import Timer, Waiting, after
from protocols.messages.agent import AgentKind
from protocols.messages.turn import Outcome, Priority

MOST_WAITING = 8
"""Announcements of a robot that wait until it is free."""
_BEGUN_BY_ITSELF = frozenset({Priority.PLAN, Priority.AMBIENT})


def announce(d: Draft, e: on.Announce) -> None:
    reason = _refusal(d, e)
    if not reason:
        if d.turn:
            d.end(Outcome.SUPERSEDED, f"by_{e.priority}")
        _say(d, e)
    elif not e.when_free or reason in ("not_connected", "quiet_hours"):
        d.do(do.Settle(e.request, reason))
    elif len(d.state.waiting) >= MOST_WAITING:
        d.do(do.Settle(e.request, "queue_full"))
    else:
        d.set(waiting=(*d.state.waiting, Waiting(e, after(d.now_ns, e.ttl_ms))))
        _await_the_next_to_expire(d)


def _refusal(d: Draft, e: on.Announce) -> str:
    """Why it cannot be said now; empty if it can."""
    state = d.state
    verdict = decide(d.turn.claim if d.turn else None, Claim(e.priority, e.interruptible))
    if not state.connected:
        return "not_connected"
    if _is_kept_quiet(d, e):
        return "quiet_hours"
    if e.text and not state.has(AgentKind.TTS, do.PRIMARY):
        return "tts_unavailable"
    voiced = state.utterance and state.utterance.voiced
    speaks = state.awaited or voiced or state.hearing.held
    if verdict.granted and e.priority is not Priority.SAFETY and speaks:
        return "user_speaking"
    if e.when_free and d.turn and e.priority is not Priority.SAFETY:
        return "busy"
    return verdict.reason


def _is_kept_quiet(d: Draft, e: on.Announce) -> bool:
    """Whether it is for another hour: nothing is spoken by the robot's own will while it is quiet,
    but what is urgent, or what its user has asked for."""
    return d.state.own.quiet and bool(e.text) and e.priority in _BEGUN_BY_ITSELF and not e.asked


def say_what_waits(d: Draft) -> None:
    """As soon as nobody speaks, what waits for that is said: the highest claim, then the oldest."""
    state = d.state
    has_voice = state.has(AgentKind.TTS, do.PRIMARY)
    if not (state.waiting and state.connected and has_voice) or _is_busy(d):
        return
    said = max(state.waiting, key=lambda waiting: RANK[waiting.what.priority])
    d.set(waiting=tuple(each for each in state.waiting if each is not said))
    _await_the_next_to_expire(d)
    if _is_kept_quiet(d, said.what):
        d.do(do.Settle(said.what.request, "quiet_hours"))
    else:
        _say(d, said.what)
    say_what_waits(d)


def waiting_due(d: Draft) -> None:
    """What has waited too long is not said any more."""
    for each in d.state.waiting:
        if each.until_ns <= d.now_ns:
            d.do(do.Settle(each.what.request, "expired"))
    d.set(waiting=tuple(each for each in d.state.waiting if each.until_ns > d.now_ns))
    _await_the_next_to_expire(d)


def give_up_waiting(d: Draft) -> None:
    """The session is over: nothing of it waits any more."""
    for each in d.state.waiting:
        d.do(do.Settle(each.what.request, "disconnected"))
    d.set(waiting=())
    d.disarm(Timer.WAITING)


def _await_the_next_to_expire(d: Draft) -> None:
    d.disarm(Timer.WAITING)
    if d.state.waiting:
        d.arm_at(Timer.WAITING, min(each.until_ns for each in d.state.waiting))


def _is_busy(d: Draft) -> bool:
    """Whether somebody speaks, or is to be answered first."""
    state = d.state
    heard = state.utterance or state.awaited or state.carried or state.hearing.held
    return bool(d.turn or heard)


def say_what_was_left_unsaid(d: Draft) -> None:
    """What the hub's end cut short goes on as soon as there is a voice, unless somebody speaks."""
    unsaid, state = d.state.unsaid, d.state
    if unsaid is None or not state.connected or not state.has(AgentKind.TTS, do.PRIMARY):
        return
    d.set(unsaid=None)
    d.disarm(Timer.UNSAID)
    if not (d.turn or state.utterance or state.awaited):
        recite(d, unsaid.claim, unsaid.text, unsaid.emotion, unsaid.intensity)


def remind_of_the_time(d: Draft) -> None:
    """Say that it is time for a break, as soon as nobody speaks."""
    state = d.state
    has_voice = state.has(AgentKind.TTS, do.PRIMARY)
    if state.reminder and state.connected and has_voice and not _is_busy(d):
        d.set(reminder="")
        recite(d, Claim(Priority.PLAN), state.reminder, "neutral", 0.5)


def _say(d: Draft, e: on.Announce) -> None:
    claim = Claim(e.priority, e.interruptible)
    recite(d, claim, e.text, e.emotion, e.intensity, e.request, e.gestures)


def recite(
    d: Draft,
    claim: Claim,
    text: str,
    emotion: str,
    intensity: float,
    request: int = 0,
    gestures: tuple[str, ...] = (),
) -> None:
    """A turn that the robot begins, with words and gestures that are known."""
    d.begin(claim, request=request)
    d.expect_speech()
    d.set_turn(has_meta=True)
    feeling.wish(d, emotion, intensity)
    answering.gesture(d, gestures)
    d.cut(text)
    d.finish_text()
