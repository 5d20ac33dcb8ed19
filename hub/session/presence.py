"""Rules of presence: a robot comes, is lost, comes back or not, and what the hub's own end leaves.

``session.started`` and ``session.ended`` bound a session; a robot that returns in time starts it
again as ``resumed``, with no end between. ``robot.presence`` says at every moment whether there is
a connection.
"""

from types import MappingProxyType

from hub.open_turn import OpenTurn
from hub.session import announcing, attention, feeling, listening
from hub.session import effects as do
from hub.session import events as on
from hub.session.draft import Draft
from hub.session.heard import heard_answer
from hub.session.link import DRAINING, REPLACED
from hub.session.preemption import Claim
from hub.session.state import Barge, Parting, Timer, Unsaid
from protocols.messages import robot, session, voice
from protocols.messages.affect import BodySensed
from protocols.messages.agent import AgentKind
from protocols.messages.face import Conversation
from protocols.messages.turn import Exchange, Outcome, TurnEnded

_GOODBYES = frozenset({1000, 1001, 1005, REPLACED})
"""Close codes after which nobody is waited for: the client left by its own will, or another
connection, which is not the same session, has the robot. Everything else is a fault."""

_STAY = (AgentKind.STT, AgentKind.FEELINGS)
"""Who goes on serving a robot that is away: a transcript is due, and feelings go on anyway."""

RESTARTED = "hub_restarted"
"""Code of a turn that the end of the hub cut short."""


def connected(d: Draft, e: on.Connected) -> None:
    if e.resumed and d.state.in_session:
        _come_back(d, e)
        return
    if d.turn:
        d.end(Outcome.CANCELLED, "takeover")
    announcing.give_up_waiting(d)
    d.set(
        epoch=e.epoch, session=e.session, hello=e.hello, history=e.history, utterance=None,
        awaited=None, carried="", reopens=0, face=Conversation.IDLE, timers=MappingProxyType({}),
        away=None, resumable=e.resumable, unsaid=None, mood=None, affect=None,
        has_own_feelings=False, reminder="", memory=None,
    )  # fmt: skip
    attention.begin(d)
    _begin_to_serve(d, e)
    d.rest()


def _begin_to_serve(d: Draft, e: on.Connected) -> None:
    d.report(session.SessionStarted(client=e.hello.client, resumed=e.resumed))
    _report_presence(d)
    for kind, role in serving(d):
        assign(d, kind, role)
    if d.state.memory is None and d.state.has(AgentKind.MEMORY, do.PRIMARY):
        d.do(do.Recall())


def _come_back(d: Draft, e: on.Connected) -> None:
    d.set(epoch=e.epoch, hello=e.hello, away=None)
    d.disarm(Timer.AWAY)
    if not e.replayed:
        _tell_where_everything_stands(d)
    attention.go_on(d)
    _begin_to_serve(d, e)
    if d.state.awaited:
        # Its sound was counted by a connection that is no more, and so is what stt makes of it.
        listening.settle_utterance(d, d.state.awaited.number)
        listening.no_transcript(d, "disconnected")
    d.tell(robot.Face(conversation=d.state.face))
    live = d.turn
    if live is None or not live.shown:
        feeling.tell_mood(d)
    if live is None:
        # Speech of a turn that is yet to come must find the wire open.
        d.do(do.Resume())
        d.rest()
        return
    if live.shown:
        _tell_mood(d)
    d.tell(robot.Release(turn=live.number))
    d.do(do.Resume())
    if live.speaks:
        d.arm(Timer.SILENCE, d.state.policy.silence_ms)
    elif live.role and not live.text_done:
        d.arm(Timer.FILLER, d.state.policy.filler_ms)


def _tell_where_everything_stands(d: Draft) -> None:
    """The robot has missed more than is still known: tell it what holds now."""
    if d.state.fence:
        d.tell(robot.Flush(epoch=d.state.epoch, turn=d.state.fence))
    live = d.turn
    if live is None:
        return
    d.tell(live.beginning)
    for number, phrase in enumerate(live.phrases):
        if phrase.words:
            d.tell(
                robot.SpeechText(
                    turn=live.number, phrase=number, text=phrase.text, words=phrase.words
                )
            )
    if live.complete:
        d.tell(robot.SpeechEnd(turn=live.number, samples=live.samples))


def _tell_mood(d: Draft) -> None:
    assert d.turn is not None
    d.tell(
        robot.Emotion(
            turn=d.turn.number,
            emotion=d.turn.emotion,
            intensity=d.turn.intensity,
            mood_reason=d.turn.mood_reason,
        )
    )


def disconnected(d: Draft, e: on.Disconnected) -> None:
    """Wait for a robot that can come back and did not say goodbye. A hub that sends its robots
    away leaves the turns under way to its next run, and only those."""
    parted = Parting(e.reason, e.code)
    given_up = e.code in _GOODBYES or (e.code == DRAINING and d.turn is None)
    if given_up or not d.state.resumable:
        _end_session(d, parted)
        return
    speaking = d.state.utterance
    d.set(away=parted, barge=Barge.NONE)
    d.disarm(Timer.BARGE, Timer.FILLER)
    if speaking:
        listening.drop_utterance(d, speaking.number, voice.DropReason.CUT)
    for kind, role in serving(d):
        if kind not in _STAY:
            d.order(kind, session.SessionRelease(reason=e.reason), role)
    d.arm(Timer.AWAY, d.state.policy.resume_ms)
    _report_presence(d)


def away_due(d: Draft) -> None:
    if d.state.away:
        _end_session(d, d.state.away)


def _end_session(d: Draft, parted: Parting) -> None:
    d.set(epoch=0, away=None, utterance=None, awaited=None, carried="", unsaid=None)
    if d.turn:
        d.end(Outcome.CANCELLED, "takeover" if parted.code == REPLACED else "disconnected")
    announcing.give_up_waiting(d)
    for kind, role in serving(d):
        d.order(kind, session.SessionRelease(reason=parted.reason), role)
    d.report(session.SessionEnded(reason=parted.reason, code=parted.code))
    _report_presence(d)
    d.show(Conversation.IDLE)
    d.set(timers=MappingProxyType({}))


def restarted(d: Draft, e: on.Restarted) -> None:
    """End the turn that the hub's end cut short, and keep what of it was not heard for a voice to
    say, as a turn of its own."""
    old, heard = e.turn, heard_answer(e.turn.phrases, e.played_ms)
    d.tell(robot.Flush(epoch=d.state.epoch, turn=old.turn))
    ended = ended_by_restart(old, heard, e.played_ms)
    d.do(do.Report(ended, old.turn))
    d.tell(
        robot.TurnEnd(
            turn=old.turn,
            outcome=ended.outcome,
            code=ended.code,
            heard_text=heard,
            response_text=ended.response_text,
        )
    )
    exchange = exchange_of(old, heard)
    if exchange:
        d.set(history=(*d.state.history, exchange)[-d.state.policy.history_turns :])
        d.do(do.Remember(exchange))
    rest = ended.response_text.removeprefix(heard).strip()
    if rest:
        claim = Claim(old.priority, old.interruptible)
        d.set(unsaid=Unsaid(rest, claim, old.emotion, old.intensity))
        d.arm(Timer.UNSAID, d.state.policy.restart_ms)


def unsaid_due(d: Draft) -> None:
    """Nobody could say it in time; now it would come out of the blue."""
    d.set(unsaid=None)


def exchange_of(old: OpenTurn, heard: str) -> Exchange | None:
    """How such a turn enters the history; None if nothing was said by anybody."""
    if not (old.user or heard):
        return None
    return Exchange(
        turn=old.turn, user=old.user, robot=heard, emotion=old.emotion, interrupted=True
    )


def ended_by_restart(old: OpenTurn, heard: str, played_ms: int) -> TurnEnded:
    """The terminal fact of such a turn."""
    return TurnEnded(
        outcome=Outcome.CANCELLED,
        code=RESTARTED,
        user_text=old.user,
        response_text=" ".join(p.text for p in old.phrases if not p.filler),
        heard_text=heard,
        played_ms=played_ms,
    )


def _report_presence(d: Draft) -> None:
    hello = d.state.hello
    d.report(
        session.Presence(
            connected=d.state.connected,
            client=hello.client,
            attention=d.state.hearing.attention,
            aec=hello.aec,
        )
    )


def characterised(d: Draft, e: on.Characterised) -> None:
    d.set(coming=e.character)


def become(d: Draft) -> None:
    """The robot is who its profile says it is, once nobody speaks: no turn has two voices."""
    coming, state = d.state.coming, d.state
    if coming is None or d.turn or state.utterance or state.awaited:
        return
    language = state.language
    before = state.own
    d.set(own=coming, coming=None)
    feeling.limited(d, before)
    if coming.attention and coming.attention is not state.own.attention and state.in_session:
        attention.choose(d, coming.attention)
    if state.connected and d.state.language != language:
        assign(d, AgentKind.STT)


def serving(d: Draft) -> tuple[tuple[AgentKind, str], ...]:
    """Who serves a session for as long as it lasts: ears, stt, eyes where there is a camera, and
    feelings unless the robot has its own."""
    eyes = [key for key in d.state.agents if key[0] is AgentKind.VISION]
    if d.state.hello.capabilities.camera is None:
        eyes = []
    feelings = ((AgentKind.FEELINGS, do.PRIMARY),) if d.state.feels else ()
    return ((AgentKind.EARS, do.PRIMARY), (AgentKind.STT, do.PRIMARY), *sorted(eyes), *feelings)


def assign(d: Draft, kind: AgentKind, role: str = do.PRIMARY) -> None:
    """Let ears, stt, vision or feelings serve the connection."""
    hello, hearing = d.state.hello, d.state.hearing
    d.order(
        kind,
        session.SessionAssign(
            language=d.state.language,
            aec=hello.aec,
            attention=hearing.order.attention,
            awake=hearing.awake,
            endpointing=hello.endpointing,
            camera=hello.capabilities.camera if kind is AgentKind.VISION else None,
        ),
        role,
    )
    if kind is AgentKind.EARS and hearing.held:
        d.order(kind, hearing.order)
    if kind is AgentKind.FEELINGS:
        d.set(body=BodySensed())
        feeling.limited(d)
        feeling.sensed(d, d.state.world)
        feeling.pull(d)
