"""Rules of a turn: who answers, what is shown and said, and what happens when an agent fails."""

from typing import Any

from hub.session import effects as do
from hub.session import events as on
from hub.session import feeling, guard, reminding, sight
from hub.session.draft import Draft
from hub.session.guard_words import Category
from hub.session.preemption import Claim, decide
from hub.session.state import Barge, Timer, Utterance
from hub.session.waterfall import Stage
from protocols.messages import action, face, robot, turn
from protocols.messages.agent import AgentKind
from protocols.messages.face import Conversation
from protocols.messages.turn import Outcome, Priority
from protocols.plan import safe_actions


def user_says(d: Draft, text: str, spoken: Utterance | None = None) -> None:
    """The user wants an answer to ``text``."""
    if d.turn and not decide(d.turn.claim, Claim(Priority.USER)).granted:
        d.set(carried=_after_what_waits(d, text))
        return
    if d.turn:
        held = d.turn.audible and d.state.barge is Barge.HELD
        interrupt(d, "barge_in" if held else "user_spoke")
    answer(d, _after_what_waits(d, text), spoken)


def _after_what_waits(d: Draft, text: str) -> str:
    """``text`` behind what the user said before it; of too much, the end. Somebody who goes on and
    on before anything is audible must not make a turn that no wire takes."""
    return f"{d.state.carried} {text}".strip()[-d.state.policy.user_chars :]


def answer_what_waits(d: Draft) -> None:
    """What the user said in a turn that was reopened, or while the robot could not be interrupted,
    is answered as soon as nobody speaks."""
    state = d.state
    busy = d.turn or state.utterance or state.awaited or state.hearing.held
    if state.connected and state.carried and not busy:
        answer(d, state.carried)


def interrupt(d: Draft, code: str) -> None:
    """End the live turn for a newer claim: cut if it was heard, reopened if it was not."""
    assert d.turn is not None
    if d.turn.audible:
        d.end(Outcome.INTERRUPTED, code)
    elif d.turn.user_text:
        d.set(carried=d.turn.user_text, reopens=d.turn.number)
        d.end(Outcome.REOPENED, code)
    else:
        d.end(Outcome.SUPERSEDED, code)


def answer(d: Draft, text: str, spoken: Utterance | None = None) -> None:
    if d.state.reopens:
        d.do(do.Report(turn.TurnReopened(by=d.state.last_turn + 1), d.state.reopens))
    told = guard.heard(text) if d.state.policy.guard else guard.Verdict(text)
    d.begin(Claim(Priority.USER), told.text)
    d.stage(Stage.SPEECH_END, (spoken.speech_end_ns or spoken.endpoint_ns) if spoken else None)
    d.stage(Stage.ENDPOINT, spoken.endpoint_ns if spoken else None)
    d.stage(Stage.TRANSCRIPT)
    d.show(Conversation.THINKING)
    if told.kept_back:
        answer_gently(d, told.kept_back)
        return
    if d.state.talked_enough:
        d.expect_speech()
        d.set_turn(has_meta=True, intent="resting")
        say(d, d.state.policy.enough_today)
        return
    if reminding.asked(d, told.text):
        return
    looks = sight.asks_to_look(told.text) and look(d, told.text)
    if not looks:
        ask_a_planner(d)
    d.expect_speech()
    if d.turn and not (looks or d.turn.role):
        apologise(d, "no_planner")
    if d.turn and not d.turn.speaks and not d.turn.voiceless:
        d.arm(Timer.FILLER, d.state.policy.filler_ms)


def ask_a_planner(d: Draft) -> None:
    """Let the chosen planner answer, or the reflex planner; the turn has no role if neither is
    there."""
    if d.state.has(AgentKind.PLANNER, do.PRIMARY):
        d.ask(do.PRIMARY)
    elif d.state.has(AgentKind.PLANNER, do.REFLEX):
        d.ask(do.REFLEX, "planner_down")


def look(d: Draft, question: str) -> bool:
    """Have the camera looked at before a planner is asked; False if it is known already that there
    is nothing to be seen."""
    missing = None
    if d.state.able.camera is None:
        missing = turn.Unseen.NO_CAMERA
    elif not d.state.sees:
        missing = turn.Unseen.NO_VISION_AGENT
    if missing:
        d.set_turn(sight=turn.Sight(missing=missing))
        return False
    live = d.set_turn(looking=True)
    d.do(do.Look(live.number, question))
    d.arm(Timer.LOOK, d.state.policy.look_ms)
    return True


def seen(d: Draft, e: on.Seen) -> None:
    if d.turn and d.turn.number == e.turn and d.turn.looking:
        answer_with(d, e.sight)
    else:
        d.do(do.Stale("Seen"))


def look_due(d: Draft) -> None:
    give_up_looking(d, turn.Unseen.VISION_FAILED)


def give_up_looking(d: Draft, missing: turn.Unseen) -> None:
    if d.turn and d.turn.looking:
        d.do(do.LookAway(d.turn.number))
        answer_with(d, turn.Sight(missing=missing))


def answer_with(d: Draft, found: turn.Sight) -> None:
    """Now that it is known what is to be seen, or that nothing is, a planner can answer."""
    d.set_turn(looking=False, sight=found)
    d.disarm(Timer.LOOK)
    d.stage(Stage.SIGHT)
    ask_a_planner(d)
    if d.turn and not d.turn.role:
        apologise(d, "no_planner")


def answer_gently(d: Draft, category: Category) -> None:
    """The user's words are for no planner: answer them with the phrase for their kind."""
    d.do(do.KeptBack("heard", category))
    d.expect_speech()
    d.set_turn(has_meta=True, intent="guarded")
    say(d, guard.answer_to(category))


def say(d: Draft, text: str) -> None:
    """Answer with words that are known."""
    feeling.wish(d, "neutral", 0.5)
    d.cut(text)
    d.finish_text()


def reminded(d: Draft, e: on.Reminded) -> None:
    """Say what came of a wish for a timer or a reminder; an empty text is that it failed."""
    if d.turn is None or d.turn.number != e.turn or d.turn.text_done:
        d.do(do.Stale("Reminded"))
    elif e.text:
        say(d, e.text)
    else:
        apologise(d, "not_kept")


def meta(d: Draft, m: turn.ResponseMeta) -> None:
    assert d.turn is not None
    d.stage(Stage.FIRST_TOKEN)
    d.arm(Timer.PLANNER, d.state.policy.planner_gap_ms)
    able = d.state.able
    emotion = m.emotion if m.emotion in able.emotions else "neutral"
    d.set_turn(
        has_meta=True,
        emotion=emotion,
        intensity=m.intensity,
        mood_reason=m.mood_reason,
        intent=m.intent,
    )
    if not d.state.feels:
        d.report(face.AffectChanged(emotion=emotion, intensity=m.intensity, reason=m.mood_reason))
    feeling.wish(d, emotion, m.intensity, m.mood_reason)
    gesture(d, m.gestures)
    if m.memory_tags:
        d.tell(robot.MemoryTags(turn=d.turn.number, tags=m.memory_tags))
        feeling.worth_remembering(d, m.memory_tags)


def gesture(d: Draft, names: tuple[str, ...]) -> None:
    """Let the robot make the gestures that it can make."""
    assert d.turn is not None
    able = d.state.able.gestures
    names = tuple(name for name in names if name in able)
    if names:
        d.tell(robot.Gestures(turn=d.turn.number, names=names))
        d.report(face.GesturePlayed(names=names))


def delta(d: Draft, m: turn.ResponseDelta) -> None:
    d.stage(Stage.FIRST_TOKEN)
    d.arm(Timer.PLANNER, d.state.policy.planner_gap_ms)
    d.cut(m.text)


def response_done(d: Draft, m: turn.ResponseDone) -> None:
    assert d.turn is not None
    able, number = d.state.able, d.turn.number
    if not (d.turn.uncut.strip() or d.turn.text or m.actions or d.has_a_face):
        fall_back(d, "llm_nonsense")
        return
    wishes = safe_actions(m.actions, frozenset(able.gestures + able.skills + able.emotions))
    if d.state.policy.guard:
        wishes, kept_back = guard.checked_actions(wishes)
        for category in kept_back:
            d.do(do.KeptBack("spoken", category))
    for wanted in wishes:
        if wanted["action"] == "emote" and d.state.feels:
            feeling.wish(d, wanted["name"], wanted["intensity"])
        else:
            request_action(d, wanted, number)
    d.finish_text()


def request_action(d: Draft, wanted: dict[str, Any], number: int) -> None:
    told = robot.Action(
        id=f"{d.state.epoch}-{number}-{d.now_ns}-{len(d.effects)}",
        epoch=d.state.epoch,
        turn=number,
        action=wanted["action"],
        name=str(wanted.get("name", "")),
        params={k: v for k, v in wanted.items() if k in ("intensity", "text")}
        | wanted.get("params", {}),
    )
    d.tell(told)
    d.report(
        action.ActionRequested(id=told.id, action=told.action, name=told.name, params=told.params)
    )


def tool_pending(d: Draft, m: turn.ToolPending) -> None:
    assert d.turn is not None
    d.set_turn(tools=(*d.turn.tools, (m.call, m.name)), tool_calls=d.turn.tool_calls + 1)
    wait_for_tools(d)


def tool_done(d: Draft, m: turn.ToolDone) -> None:
    assert d.turn is not None
    d.set_turn(tools=tuple(t for t in d.turn.tools if t[0] != m.call))
    wait_for_tools(d)


def wait_for_tools(d: Draft) -> None:
    """A planner that calls a tool, or has heard of one, works: give it its deadline anew, but not
    for ever."""
    assert d.turn is not None
    if not d.turn.has_meta and d.turn.tool_calls <= d.state.policy.tool_calls:
        d.arm(Timer.PLANNER, d.state.policy.planner_deadline_ms)


def planner_due(d: Draft) -> None:
    if d.turn:
        fall_back(d, "llm_timeout")


def turn_failed(d: Draft, m: turn.TurnFailed, kind: AgentKind) -> None:
    if kind is AgentKind.PLANNER:
        fall_back(d, m.code)
    else:
        d.lose_voice(m.code)


def fall_back(d: Draft, reason: str) -> None:
    """The planner that has the turn is of no use: let the reflex planner answer, if it still can."""
    live = d.turn
    assert live is not None
    if live.role:
        d.cancel_planner(live.role, reason)
    if live.text:
        d.finish_text(reason)
    elif live.role == do.PRIMARY and d.state.has(AgentKind.PLANNER, do.REFLEX):
        d.set_turn(uncut="")
        d.ask(do.REFLEX, reason)
    else:
        apologise(d, reason)


def apologise(d: Draft, code: str) -> None:
    """Rather a spoken excuse than silence."""
    d.set_turn(uncut="")
    d.speak(d.state.policy.apology)
    d.finish_text(code)


def filler_due(d: Draft) -> None:
    if d.turn and not d.turn.speaks and not d.turn.voiceless and d.state.connected:
        d.speak(d.state.policy.filler, filler=True)


def silence_due(d: Draft) -> None:
    """Nothing has left the loudspeaker for long, and nobody holds it."""
    if d.turn and (d.state.barge is Barge.HELD or d.state.away):
        d.arm(Timer.SILENCE, d.state.policy.silence_ms)
    elif d.turn:
        d.end(Outcome.FAILED, "speech_stalled" if d.turn.audible else "speech_missing")
