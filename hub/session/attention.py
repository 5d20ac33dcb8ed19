"""Rules of attention: who may choose how a robot listens, what its button and its wake word do, and
for how long it listens after them.

With a wake word, ears hear nothing else until it is said. Then, and after each answer, what is said
within ``Policy.follow_up_ms`` is taken; while the robot speaks, again nothing but the wake word is.
"""

from msgspec.structs import replace

from hub.session import answering, feeling
from hub.session import effects as do
from hub.session import events as on
from hub.session.draft import Draft
from hub.session.hearing import Hearing
from hub.session.preemption import Claim, Voice, decide, voice_may
from hub.session.state import Timer
from hub.session.waterfall import Stage
from protocols.messages import robot, voice
from protocols.messages.agent import AgentKind
from protocols.messages.audio import MIC_RATE_HZ
from protocols.messages.face import Conversation
from protocols.messages.session import Attention
from protocols.messages.turn import Priority

_NOTICED_SAMPLES = 3 * MIC_RATE_HZ // 10
"""How long before it says so a robot's wake word has ended, where it does not say when: whoever goes
on in one breath is in the middle of it by then."""

# who chooses


def begin(d: Draft) -> None:
    """A session begins: its robot listens as its profile says, else as its ``hello``, else as the
    settings. A mute by software outlives sessions."""
    state = d.state
    wish = state.own.attention or state.hello.attention or state.policy.attention
    chosen = wish if wish is not Attention.MUTED else Attention.OPEN
    before = state.hearing
    hearing = Hearing(
        attention=chosen,
        hushed=before.hushed or wish is Attention.MUTED,
        mic_off=state.hello.mic_off,
        unaddressed=before.unaddressed,
    )
    d.set(hearing=hearing)
    d.told_hearing = hearing
    d.report(hearing.fact)
    if wish is not (state.hello.attention or Attention.OPEN) or hearing.hushed:
        _tell(d)


def go_on(d: Draft) -> None:
    """A session goes on with another connection, whose sound is counted from 0; nobody holds the
    button any more."""
    mic_off = d.state.hello.mic_off
    hearing = replace(d.state.hearing, held=False, mic_off=mic_off, wake_sample=-1)
    d.set(hearing=hearing)
    d.told_hearing = hearing
    d.report(hearing.fact)
    _tell(d)


def choose(d: Draft, attention: Attention) -> None:
    """Listen so from now on; to choose anything but ``muted`` ends a mute by software."""
    if attention is Attention.MUTED:
        hush(d)
    else:
        _become(d, attention=attention, held=False, awake=False, hushed=False)


def attend(d: Draft, e: on.Attend) -> None:
    """Somebody from outside has chosen."""
    if e.attention is not None:
        choose(d, e.attention)
    if e.muted is True:
        hush(d)
    elif e.muted is False:
        _become(d, hushed=False)


def hush(d: Draft) -> None:
    """Hear nothing until somebody chooses otherwise or presses the button."""
    _become(d, hushed=True, held=False, awake=False)


def go_to_sleep(d: Draft) -> None:
    """The user wants to be heard no more: until the wake word, or as by a mute."""
    if d.state.hearing.attention is Attention.WAKE_WORD:
        _become(d, awake=False)
    else:
        hush(d)


def requested(d: Draft, m: robot.AttentionRequest) -> None:
    """The robot's user chose, or moved the button."""
    if m.held:
        _press(d)
    elif m.attention is Attention.PUSH_TO_TALK and d.state.hearing.down:
        _let_go(d)
    else:
        choose(d, m.attention)


def switched(d: Draft, m: robot.MicSwitch) -> None:
    changes = {"held": False, "awake": False} if m.off else {}
    _become(d, mic_off=m.off, **changes)


# the button


def _press(d: Draft) -> None:
    if d.state.hearing.mic_off:
        d.tell(robot.Error(code="mic_off", message="The microphone is switched off"))
        _become(d, down=True)
        return
    _become(d, held=True, down=True, hushed=False)
    live = d.turn
    if live and live.audible and decide(live.claim, Claim(Priority.USER)).granted:
        answering.interrupt(d, "push_to_talk")


def _let_go(d: Draft) -> None:
    """Let go of the button; what was said meanwhile is being understood."""
    if d.state.hearing.held and d.state.utterance and not d.turn:
        d.show(Conversation.THINKING)
    _become(d, held=False, down=False)


# the wake word


def woken(d: Draft, m: voice.WakeDetected) -> None:
    """Ears heard the wake word."""
    _called(d, m.last_sample)


def called(d: Draft, m: robot.Wake, mic_samples: int) -> None:
    """The robot itself did, after ``mic_samples`` of its sound."""
    _called(d, m.last_sample if m.last_sample >= 0 else mic_samples - _NOTICED_SAMPLES)


def _called(d: Draft, sample: int) -> None:
    hearing, live = d.state.hearing, d.turn
    waits = (
        hearing.attention is Attention.WAKE_WORD and hearing.order.attention is Attention.WAKE_WORD
    )
    meaning = voice_may(
        live.claim if live else None, bool(live and live.audible), d.state.hello.aec
    )
    sample = max(sample, hearing.wake_sample)
    if not waits or meaning is Voice.IGNORE:
        # It may have been the robot itself: ears that woke up by it are told to go back to sleep.
        d.do(do.Stale("WakeDetected"))
        _become(d, wake_sample=sample)
        return
    if meaning is Voice.BARGE_IN:
        answering.interrupt(d, "wake_word")
    d.arm(Timer.ATTENDED, d.state.policy.attended_ms)
    d.disarm(Timer.FOLLOW_UP)  # who calls again has all of the time again
    _become(d, awake=True, wake_sample=sample)
    if not d.turn:
        d.rest()


def unheard(d: Draft, m: voice.WakeUnheard) -> None:
    """Ears cannot hear wake words; a robot that can does not mind."""
    if not d.state.hello.wakes:
        d.tell(robot.Error(code="wake_word_unavailable", message=m.reason))


def attended_due(d: Draft) -> None:
    """The user has been shown for long enough that the wake word was heard."""
    if d.state.face is Conversation.ATTENTION:
        d.rest()


def follow_up_due(d: Draft) -> None:
    """Nobody has said anything more."""
    _become(d, awake=False)


def keep_the_window(d: Draft) -> None:
    """After every event: with a wake word, the window is closed while the robot speaks, and its time
    runs while nobody says anything. An answer that has ended has opened it."""
    state, live = d.state, d.turn
    if live and state.hearing.awake and Stage.FIRST_BYTE_SENT in live.stages:
        d.set(hearing=replace(state.hearing, awake=False))
    _tell_everybody(d)
    idle = not (live or state.utterance or state.awaited or state.hearing.held)
    runs = d.state.hearing.awake and idle and state.in_session
    if runs and Timer.FOLLOW_UP not in state.timers:
        d.arm(Timer.FOLLOW_UP, state.policy.follow_up_ms)
    elif not runs and Timer.FOLLOW_UP in state.timers:
        d.disarm(Timer.FOLLOW_UP)


def not_addressed(d: Draft) -> None:
    """Somebody spoke without the wake word. What was heard while the robot spoke may have been the
    robot."""
    if not d.turn:
        _become(d, unaddressed=d.state.hearing.unaddressed + 1)


# inside


def _become(d: Draft, **changes: object) -> None:
    d.set(hearing=replace(d.state.hearing, **changes))
    _tell_everybody(d)


def _tell_everybody(d: Draft) -> None:
    """Let ears, feelings, observers, the robot and its face know how it listens now."""
    before, now = d.told_hearing, d.state.hearing
    if now == before:
        return
    d.told_hearing = now
    if now.order != before.order and d.state.connected:
        d.order(AgentKind.EARS, now.order)
    if (now.held, now.attention) != (before.held, before.attention):
        feeling.order(d, now.order)
    d.report(now.fact)
    if _told(now) != _told(before):
        _tell(d)
    _show(d)


def _show(d: Draft) -> None:
    """Let the face show it: while somebody is answered, the button alone."""
    understood = d.state.utterance and d.state.face is Conversation.THINKING
    answered = d.turn or d.state.awaited or (understood and not d.state.hearing.hushed)
    if d.state.hearing.held or not answered:
        d.rest()
    elif d.state.face is Conversation.PTT:
        speaks = d.turn and Stage.FIRST_BYTE_SENT in d.turn.stages
        d.show(Conversation.SPEAKING if speaks else Conversation.THINKING)


def _told(hearing: Hearing) -> robot.Listening:
    return robot.Listening(attention=hearing.attention, mute=hearing.mute, hearing=hearing.hears)


def _tell(d: Draft) -> None:
    d.tell(_told(d.state.hearing))
