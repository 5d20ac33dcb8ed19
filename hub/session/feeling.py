"""Rules of feeling: what is wished, what the face shows, what memories and the body have to do with
it, and for how long may be talked.

Where feelings serve the robot, they alone say what its face shows: in a turn within
``Policy.affect_ms`` of the wish, else at any time. A mood that changes by itself is told as of turn
0, which no fence is above. Without them, and while they are late, the model's emotion is shown,
within the caps that they would hold it to: guardrails stand above whoever wishes.
"""

from collections.abc import Mapping
from typing import Any

from hub.session import effects as do
from hub.session import events as on
from hub.session.affect import bias_of, sensed_of
from hub.session.character import Character
from hub.session.draft import Draft
from hub.session.state import Mood, State, Timer
from protocols.envelope import Message
from protocols.messages import affect, face, robot, session
from protocols.messages.agent import AgentKind
from protocols.messages.turn import Priority
from protocols.vocabulary import NEGATIVE_EMOTIONS

CAPS = {
    "sad": (0.70, 4_000), "scared": (0.60, 2_000), "angry": (0.50, 2_000),
    "surprised": (0.80, 3_000),
}  # fmt: skip
"""How strong a model's emotion is shown at most, and for how many milliseconds."""
GRACE_MS = 250
"""A mood that feelings do not end themselves is ended by the hub so much later."""

# what the face shows


def wish(d: Draft, emotion: str, intensity: float, reason: str = "") -> None:
    """Show the live turn's feeling, as soon as it is known what the robot feels."""
    assert d.turn is not None
    emotion = _able(d.state, emotion)
    if not d.state.feels:
        _feel_capped(d, emotion, intensity)
        return
    d.set_turn(emotion=emotion, intensity=intensity)
    d.order(
        AgentKind.FEELINGS,
        affect.AffectWish(
            emotion=emotion,
            intensity=intensity,
            reason=reason,
            conversing=d.turn.claim.priority is Priority.USER and not d.state.talked_enough,
        ),
    )
    d.arm(Timer.AFFECT, d.state.policy.affect_ms)


def felt(d: Draft, m: face.AffectChanged) -> None:
    """Feelings have said what the face shows from now on."""
    mood = Mood(_able(d.state, m.emotion), m.intensity, m.reason)
    if d.state.uncapped or d.state.mood is None or d.state.mood.emotion != mood.emotion:
        d.disarm(Timer.MOOD)
    if not d.state.uncapped:
        _bound(d, mood.emotion, GRACE_MS)
    d.set(mood=mood)
    live = d.turn
    if live and live.has_meta and live.number == m.turn:
        d.set_turn(mood_reason=mood.reason)
        d.feel(mood.emotion, mood.intensity)
    elif live and live.shown:
        d.set_turn(emotion=mood.emotion, intensity=mood.intensity)
        tell_mood(d, live.number)
    else:
        tell_mood(d)


def tell_mood(d: Draft, turn: int = 0) -> None:
    """Tell the robot what it feels, in a turn or between them."""
    if d.state.mood is not None:
        _tell(d, d.state.mood, turn)


def _tell(d: Draft, mood: Mood, turn: int) -> None:
    told = robot.Emotion(
        turn=turn, emotion=mood.emotion, intensity=mood.intensity, mood_reason=mood.reason
    )
    d.tell(told)
    d.report_face()


def affect_due(d: Draft) -> None:
    """Feelings are late: the face does not wait for them."""
    if d.turn:
        _feel_capped(d, d.turn.emotion, d.turn.intensity)


def _feel_capped(d: Draft, emotion: str, intensity: float) -> None:
    """Show the model's emotion, as far as it may be. A robot with feelings of its own weighs it by
    itself."""
    turn = d.turn
    assert turn is not None
    if d.state.has_own_feelings:
        d.feel(emotion, intensity)
        return
    if emotion in NEGATIVE_EMOTIONS and turn.claim.priority is not Priority.USER:
        emotion = "neutral"
    _bound(d, emotion)
    d.feel(emotion, min(intensity, CAPS.get(emotion, (1.0, 0))[0]))


def _bound(d: Draft, emotion: str, grace_ms: int = 0) -> None:
    """What is shown from now on ends when it has lasted for as long as it may."""
    if emotion not in CAPS:
        d.disarm(Timer.MOOD)
    else:
        lasts_ms = CAPS[emotion][1] + grace_ms
        due_ns = d.state.timers.get(Timer.MOOD)
        left_ms = lasts_ms if due_ns is None else max(0, due_ns - d.now_ns) // 1_000_000
        d.arm(Timer.MOOD, min(lasts_ms, left_ms))


def mood_due(d: Draft) -> None:
    """A mood has been shown for as long as it may, and nobody has ended it."""
    neutral = Mood("neutral", 0.5, "it has lasted long enough")
    if d.state.mood is not None:
        d.set(mood=neutral)
    live = d.turn
    if live and live.shown:
        d.set_turn(emotion=neutral.emotion, intensity=neutral.intensity)
    _tell(d, neutral, live.number if live and live.shown else 0)


def lost(d: Draft) -> None:
    """Nobody feels for this robot any more."""
    shown, _ = d.state.face_mood
    d.set(mood=None, affect=None, uncapped=False)
    if shown in CAPS:
        _bound(d, shown)
    if Timer.AFFECT in d.state.timers:
        affect_due(d)


def _able(state: State, emotion: str) -> str:
    return emotion if emotion in state.hello.capabilities.emotions else "neutral"


# how long may be talked


def stands(d: Draft, m: affect.AffectState) -> None:
    d.set(affect=m)


def held(d: Draft, m: affect.GuardrailHeld) -> None:
    """A guardrail took hold. That a limit of time was reached is said once, as soon as nobody
    speaks."""
    d.do(do.KeptBack("felt", m.rule))
    policy = d.state.policy
    said = {
        affect.Broken.SESSION_LIMIT: policy.suggest_break,
        affect.Broken.DAILY_LIMIT: policy.enough_today,
    }.get(m.rule)
    if said:
        d.set(reminder=said)


def limited(d: Draft, before: Character = Character()) -> None:  # noqa: B008 - frozen
    """Tell feelings for how long this robot may talk, if its profile says anything of it. What it
    said ``before`` and says no more is what feelings let every robot."""
    own, limits = d.state.own, (d.state.own.session_limit_s, d.state.own.daily_limit_s)
    if limits == (before.session_limit_s, before.daily_limit_s):
        return
    order(
        d,
        affect.GuardrailSet(
            session_time_limit_s=own.session_limit_s,
            daily_time_limit_s=own.daily_limit_s,
            usual_limits=True,
        ),
    )


# body and memories


def own_feelings(d: Draft) -> None:
    """The robot says how it feels: it has feelings of its own. The hub's are not asked any more,
    and what a model feels is for the robot to weigh."""
    if d.state.feels:
        d.order(AgentKind.FEELINGS, session.SessionRelease(reason="own_feelings"))
        lost(d)
    d.set(has_own_feelings=True)


def order(d: Draft, message: Message) -> None:
    """Command whoever feels for this robot, if anybody does."""
    if d.state.feels and d.state.in_session:
        d.order(AgentKind.FEELINGS, message)


def ordered(d: Draft, e: on.Felt) -> None:
    if isinstance(e.order, affect.GuardrailSet) and e.order.negative_duration_caps is not None:
        d.set(uncapped=not e.order.negative_duration_caps)
    order(d, e.order)


def sensed(d: Draft, world: Mapping[str, Any]) -> None:
    """Tell feelings of the body, if that is news."""
    told = sensed_of(world)
    if d.state.feels and told != d.state.body:
        d.set(body=told)
        order(d, told)


def recalled(d: Draft, e: on.Recalled) -> None:
    d.set(memory=e.memory)
    pull(d)


def pull(d: Draft) -> None:
    """Tell feelings what the robot's memories pull at."""
    memory = d.state.memory
    if memory is not None:
        order(d, bias_of(memory))


def worth_remembering(d: Draft, tags: tuple[dict[str, str], ...]) -> None:
    """Keep what a response found worth it, if the robot may remember."""
    memory = d.state.memory
    if memory is not None and memory.consent and d.state.has(AgentKind.MEMORY, do.PRIMARY):
        d.do(do.Note(tags))
