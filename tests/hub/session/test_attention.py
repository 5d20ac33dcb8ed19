"""When a robot listens: the button, the wake word and its window, mutes, and what the face shows."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.robots.profile import BadProfile, profile_of
from hub.session import effects as do
from hub.session import events as on
from hub.session.character import Character
from hub.session.state import Policy
from protocols.messages import robot, session, voice
from protocols.messages.agent import AgentKind
from protocols.messages.face import Conversation
from protocols.messages.robot import AttentionRequest, Hello, MicSwitch, Wake
from protocols.messages.session import Attention, AttentionChanged, AttentionSet, Mute
from protocols.messages.session import EchoCanceller as Aec
from protocols.messages.turn import Outcome
from tests.hub.session.driver import Driver

PTT, WAKE, OPEN, MUTED = (
    Attention.PUSH_TO_TALK,
    Attention.WAKE_WORD,
    Attention.OPEN,
    Attention.MUTED,
)
PRESS, LET_GO = AttentionRequest(attention=PTT, held=True), AttentionRequest(attention=PTT)


def robot_that(attention: Attention | None = None, **hello: object) -> Driver:
    return Driver(hello=Hello(attention=attention, **{"aec": Aec.DEVICE, **hello}))  # type: ignore[arg-type]


def orders(d: Driver) -> list[AttentionSet]:
    """What ears were told of attention."""
    return [
        o.message
        for o in d.all(do.Order)
        if o.kind is AgentKind.EARS and isinstance(o.message, AttentionSet)
    ]


def faces(d: Driver) -> list[Conversation]:
    return [m.conversation for m in d.told(robot.Face)]


def wakes(d: Driver, sample: int = 16_000) -> None:
    d.ears(voice.WakeDetected(word="okay_nabu", last_sample=sample))


def speaks(d: Driver, text: str, ms: int = 0) -> None:
    """The planner answers, and the robot has said ``ms`` of it; 0: all."""
    d.answers(text)
    made = d.voices()
    d.plays(ms or made)


def announces(d: Driver, ms: int = 0, **fields: object) -> None:
    """The robot begins to speak by itself, and has said ``ms`` of it; 0: all."""
    d.announce("The tea is ready, and it is hot.", **fields)
    made = d.voices()
    d.plays(ms or made)


# the button


def test_the_button_shows_at_once_and_listening_does_not_overdraw_it() -> None:
    d = robot_that(PTT)
    assert d.state.face is Conversation.IDLE
    d.user(PRESS)
    assert d.state.face is Conversation.PTT
    d.starts_to_speak(confirmed=True)
    assert d.state.face is Conversation.PTT
    d.user(LET_GO)
    assert faces(d) == [Conversation.PTT, Conversation.THINKING]


def test_a_button_that_nobody_speaks_into_leaves_the_face_at_rest() -> None:
    d = robot_that(PTT)
    d.user(PRESS)
    d.user(LET_GO)
    assert faces(d) == [Conversation.PTT, Conversation.IDLE]
    assert [(o.attention, o.held) for o in orders(d)] == [(PTT, True), (PTT, False)]


def test_the_button_lies_on_top_of_how_the_robot_listens() -> None:
    d = robot_that(OPEN)
    d.user(PRESS)
    d.user(LET_GO)
    assert [(o.attention, o.held) for o in orders(d)] == [(PTT, True), (OPEN, False)]
    assert d.state.face is Conversation.LISTENING
    d.user(LET_GO)  # nobody holds it: the user wants it so from now on
    assert d.state.hearing.attention is PTT


@pytest.mark.parametrize(
    "meanwhile",
    [on.Attend(muted=True), on.Attend(OPEN), on.FromUser(MicSwitch(off=True))],
)
def test_to_let_go_of_the_button_chooses_nothing_though_it_was_not_heard_any_more(
    meanwhile: on.Event,
) -> None:
    d = robot_that(OPEN)
    d.user(PRESS)
    d.feed(meanwhile)
    before = d.state.hearing
    assert not before.held
    d.user(LET_GO)
    assert (d.state.hearing.attention, d.state.hearing.mute) == (OPEN, before.mute)


def test_a_button_that_is_pressed_while_the_microphone_is_off_chooses_nothing() -> None:
    d = robot_that(OPEN, mic_off=True)
    d.user(PRESS)
    d.user(LET_GO)
    d.user(MicSwitch(off=False))
    assert d.state.hearing.attention is OPEN
    assert d.state.hearing.hears


@pytest.mark.parametrize("aec", list(Aec))
def test_the_button_silences_a_robot_that_speaks_whatever_its_echo(aec: Aec) -> None:
    d = robot_that(OPEN, aec=aec)
    d.says("tell me a story")
    speaks(d, "Once upon a time there was a robot.", 500)
    d.user(PRESS)
    assert d.state.turn is None
    assert d.outcomes == [(1, Outcome.INTERRUPTED, "push_to_talk")]
    assert d.state.face is Conversation.PTT
    d.says("a shorter one")
    d.user(LET_GO)
    assert d.state.turn is not None
    assert d.state.turn.user_text == "a shorter one"


def test_what_may_not_be_interrupted_goes_on_under_the_button() -> None:
    d = robot_that(OPEN)
    announces(d, 100, interruptible=False)
    d.user(PRESS)
    assert d.state.turn is not None
    assert d.state.face is Conversation.PTT
    d.user(LET_GO)
    assert d.state.face is Conversation.SPEAKING


def test_nobody_speaks_by_the_way_while_the_button_is_held() -> None:
    d = robot_that(PTT)
    d.user(PRESS)
    d.announce("By the way.")
    assert do.Settle(7, "user_speaking") in d.effects


# mutes


def test_a_muted_robot_shows_it_and_its_ears_are_shut() -> None:
    d = robot_that(OPEN)
    d.feed(on.Attend(muted=True))
    assert orders(d) == [AttentionSet(attention=MUTED)]
    assert d.state.face is Conversation.IDLE
    assert d.told(robot.Listening) == [
        robot.Listening(attention=OPEN, mute=Mute.SOFTWARE, hearing=False)
    ]
    assert d.reported(AttentionChanged)[-1].mute is Mute.SOFTWARE
    d.feed(on.Attend(muted=False))
    assert orders(d)[-1] == AttentionSet(attention=OPEN)
    assert d.state.face is Conversation.LISTENING


def test_a_voice_that_a_mute_has_overtaken_is_dropped() -> None:
    d = robot_that(OPEN)
    d.feed(on.Attend(muted=True))
    d.starts_to_speak()
    assert d.state.utterance is None


def test_the_button_ends_a_mute_by_software_and_not_that_of_the_switch() -> None:
    d = robot_that(OPEN)
    d.user(AttentionRequest(attention=MUTED))
    d.user(PRESS)
    assert d.state.hearing.hears
    d.user(LET_GO)
    d.user(MicSwitch(off=True))
    d.user(PRESS)
    d.feed(on.Attend(OPEN, muted=False))
    assert d.state.hearing.mute is Mute.HARDWARE
    assert d.told(robot.Error)[-1].code == "mic_off"
    d.user(MicSwitch(off=False))
    assert d.state.hearing.hears


def test_a_mute_by_software_outlives_the_session_and_the_switch_is_told_by_hello() -> None:
    d = robot_that(OPEN)
    d.feed(on.Attend(muted=True))
    d.feed(on.Connected(2, "sess-2", Hello(mic_off=True)))
    assert d.state.hearing.mute is Mute.HARDWARE
    d.feed(on.Connected(3, "sess-3", Hello()))
    assert d.state.hearing.mute is Mute.SOFTWARE
    assert d.state.face is Conversation.IDLE


def test_go_to_sleep_mutes_until_somebody_presses_the_button() -> None:
    d = robot_that(OPEN)
    d.says("go to sleep please")
    assert d.state.turn is None
    assert d.state.hearing.mute is Mute.SOFTWARE
    d.user(PRESS)
    assert d.state.hearing.hears


# who chooses


@pytest.mark.parametrize(
    ("profile", "hello", "chosen"),
    [(None, None, PTT), (None, WAKE, WAKE), (OPEN, WAKE, OPEN), (WAKE, None, WAKE)],
)
def test_a_profile_goes_before_hello_and_hello_before_the_settings(
    profile: Attention | None, hello: Attention | None, chosen: Attention
) -> None:
    d = Driver(policy=Policy(attention=PTT))
    d.feed(on.Characterised(Character(attention=profile)))
    d.feed(on.Connected(2, "sess-2", Hello(attention=hello)))
    assert d.state.hearing.attention is chosen
    assert d.ordered(session.SessionAssign)[-1].attention is chosen
    told = d.told(robot.Listening)
    assert bool(told) is (chosen is not (hello or OPEN))


def test_a_profile_file_says_how_its_robot_listens() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert profile_of('attention = "wake_word"', "r1.toml").character_at(now).attention is WAKE
    assert profile_of("", "r1.toml").character_at(now).attention is None
    with pytest.raises(BadProfile, match=r"r1\.toml: attention: input should be 'open'"):
        profile_of('attention = "loud"', "r1.toml")


def test_a_profile_that_changes_is_obeyed_live() -> None:
    d = robot_that(OPEN)
    d.feed(on.Characterised(Character(attention=WAKE)))
    assert orders(d) == [AttentionSet(attention=WAKE)]
    d.feed(on.Characterised(Character(attention=WAKE, persona="another")))
    assert len(orders(d)) == 1


# the wake word


def test_the_wake_word_is_shown_at_once_and_then_that_the_robot_listens() -> None:
    d = robot_that(WAKE)
    assert d.state.face is Conversation.IDLE
    wakes(d)
    assert d.state.face is Conversation.ATTENTION
    d.starts_to_speak()
    assert d.state.face is Conversation.ATTENTION
    d.wait(400)
    assert d.state.face is Conversation.LISTENING


def test_the_window_closes_when_nobody_says_anything() -> None:
    d = robot_that(WAKE)
    wakes(d, 32_000)
    d.wait(7_999)
    assert d.state.hearing.hears
    d.wait(2)
    assert not d.state.hearing.hears
    assert orders(d)[-1] == AttentionSet(attention=WAKE, wake_sample=32_000)
    assert d.state.face is Conversation.IDLE


def test_the_window_waits_for_whoever_speaks() -> None:
    d = robot_that(WAKE)
    wakes(d)
    d.wait(7_000)
    d.starts_to_speak(confirmed=True)
    d.wait(5_000)
    assert d.state.hearing.hears
    d.stops_speaking("what time is it")
    assert d.state.turn is not None
    assert d.state.turn.user_text == "what time is it"


def test_while_the_robot_speaks_only_the_wake_word_counts_and_after_it_the_user_may_go_on() -> None:
    d = robot_that(WAKE)
    wakes(d)
    d.says("what time is it")
    speaks(d, "It is noon.", 100)
    assert orders(d)[-1].awake is False
    d.plays(300)
    assert d.state.turn is None
    assert orders(d)[-1].awake is True
    assert d.state.face is Conversation.LISTENING
    d.says("and tomorrow")
    assert d.state.turn is not None
    speaks(d, "It will be too.")
    d.wait(8_001)
    assert orders(d)[-1].awake is False


def test_a_session_that_ends_in_an_answer_leaves_nothing_open() -> None:
    d = robot_that(WAKE)
    wakes(d)
    d.says("what time is it")
    speaks(d, "It is noon, and the sun is shining.", 100)
    d.feed(on.Disconnected("bye", 1000))
    assert orders(d)[-1].awake is False
    assert "follow_up" not in d.state.timers
    assert d.state.face is Conversation.IDLE


def test_the_face_does_not_fall_asleep_between_an_answer_and_its_window() -> None:
    d = robot_that(WAKE)
    wakes(d)
    d.says("what time is it")
    speaks(d, "It is noon.")
    assert faces(d)[-2:] == [Conversation.SPEAKING, Conversation.LISTENING]


def test_an_announcement_opens_no_window() -> None:
    d = robot_that(WAKE)
    announces(d)
    assert d.state.turn is None
    assert not d.state.hearing.awake


@pytest.mark.parametrize(("aec", "interrupts"), [(Aec.DEVICE, True), (Aec.NONE, False)])
def test_the_wake_word_interrupts_where_it_cannot_be_the_robot_s_own(
    aec: Aec, interrupts: bool
) -> None:
    d = robot_that(WAKE, aec=aec)
    wakes(d)
    d.says("tell me a story")
    speaks(d, "Once upon a time there was a robot.", 500)
    wakes(d, 99_000)
    assert (d.state.turn is None) is interrupts
    assert d.state.hearing.awake is interrupts
    assert orders(d)[-1] == AttentionSet(attention=WAKE, awake=interrupts, wake_sample=99_000)
    if not interrupts:
        d.plays(10_000)
        d.wait(8_001)
        assert orders(d)[-1] == AttentionSet(attention=WAKE, wake_sample=99_000)
    else:
        assert d.outcomes[-1][2] == "wake_word"
        assert d.state.face is Conversation.ATTENTION


def test_what_was_not_addressed_to_the_robot_is_counted_and_nothing_else() -> None:
    d = robot_that(WAKE)
    for number in (1, 2):
        d.ears(voice.UtteranceDropped(utterance=number, reason=voice.DropReason.NOT_ADDRESSED))
    assert d.reported(AttentionChanged)[-1].unaddressed == 2
    assert not d.told(robot.Error)
    assert not d.ordered(voice.UtteranceDrop)
    assert d.state.face is Conversation.IDLE


def test_a_voice_beside_the_robot_s_own_is_not_counted() -> None:
    d = robot_that(WAKE)
    announces(d, 100)
    d.ears(voice.UtteranceDropped(utterance=1, reason=voice.DropReason.NOT_ADDRESSED))
    assert d.state.hearing.unaddressed == 0


def test_go_to_sleep_closes_the_window_even_after_an_answer() -> None:
    d = robot_that(WAKE)
    wakes(d)
    d.says("tell me a story")
    speaks(d, "Once upon a time there was.", 300)
    wakes(d)
    d.says("go to sleep")
    assert not d.state.hearing.hears
    assert d.state.hearing.mute is Mute.OFF
    assert d.state.face is Conversation.IDLE


def test_a_robot_that_hears_its_wake_word_itself_is_believed() -> None:
    d = robot_that(WAKE, wakes=True)
    d.user(Wake(word="hey_robot", last_sample=8_000))
    assert orders(d) == [AttentionSet(attention=WAKE, awake=True, wake_sample=8_000)]
    assert d.state.face is Conversation.ATTENTION


def test_a_robot_that_does_not_say_where_its_wake_word_ended_is_heard_from_shortly_before() -> None:
    d = robot_that(WAKE, wakes=True)
    d.feed(on.FromUser(Wake(), mic_samples=16_000))
    [order] = orders(d)
    assert order.awake
    assert 0 < order.wake_sample < 16_000
    d.wait(8_001)
    d.feed(on.FromUser(Wake(), mic_samples=170_000))
    assert orders(d)[-1].wake_sample > 16_000


def test_who_calls_again_has_all_of_the_time_again() -> None:
    d = robot_that(WAKE, wakes=True)
    d.user(Wake())
    d.wait(7_000)
    d.user(Wake())
    d.wait(7_000)
    assert d.state.hearing.hears
    d.wait(1_000)
    assert not d.state.hearing.hears


def test_ears_that_heard_a_later_wake_word_than_the_robot_are_put_to_sleep_all_the_same() -> None:
    d = robot_that(WAKE)
    wakes(d, 32_000)
    d.user(Wake())
    d.wait(8_001)
    assert orders(d)[-1] == AttentionSet(attention=WAKE, wake_sample=32_000)


def test_a_wake_word_that_nobody_waits_for_is_stale() -> None:
    d = robot_that(OPEN)
    d.user(Wake())
    assert do.Stale("WakeDetected") in d.effects
    assert d.state.face is Conversation.LISTENING


@pytest.mark.parametrize("wakes_itself", [True, False])
def test_ears_that_cannot_hear_the_wake_word_are_told_of(wakes_itself: bool) -> None:
    d = robot_that(WAKE, wakes=wakes_itself)
    d.ears(voice.WakeUnheard(reason="no engine"))
    codes = [m.code for m in d.told(robot.Error)]
    assert codes == ([] if wakes_itself else ["wake_word_unavailable"])


def test_a_robot_that_returns_listens_as_before_and_nobody_holds_its_button() -> None:
    d = Driver()
    d.feed(on.Connected(2, "sess-2", Hello(aec=Aec.DEVICE), resumable=True))
    d.feed(on.Attend(WAKE))
    wakes(d)
    d.user(PRESS)
    d.feed(on.Disconnected("gone", 1006))
    d.feed(on.Connected(3, "sess-2", Hello(aec=Aec.DEVICE), resumable=True, resumed=True))
    hearing = d.state.hearing
    assert (hearing.attention, hearing.held, hearing.wake_sample) == (WAKE, False, -1)
    assert d.told(robot.Listening)[-1].attention is WAKE
    d.user(LET_GO)
    assert d.state.hearing.attention is WAKE


# whatever happens

_DOES = st.sampled_from(
    ["press", "let_go", "wake", "mute", "unmute", "off", "on", "open", "wake_word", "ptt", "says"]
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([None, OPEN, PTT, WAKE, MUTED]), st.lists(_DOES, max_size=14))
def test_face_ears_and_robot_always_agree_on_whether_it_listens(
    first: Attention | None, does: list[str]
) -> None:
    d = robot_that(first)
    for what in does:
        _do(d, what)
        hearing = d.state.hearing
        if not (d.state.turn or d.state.awaited):
            assert (d.state.face is not Conversation.IDLE) is hearing.hears
            assert (d.state.face is Conversation.PTT) is (
                hearing.held and "attended" not in d.state.timers
            )
        for order in orders(d)[-1:]:
            assert order == hearing.order
        for told in d.told(robot.Listening)[-1:]:
            assert (told.hearing, told.mute) == (hearing.hears, hearing.mute)
        assert not (hearing.held and hearing.mute is not Mute.OFF)
    d.wait(60_000)
    assert not (d.state.hearing.awake and not d.state.hearing.held)


def _do(d: Driver, what: str) -> None:
    match what:
        case "press":
            d.user(PRESS)
        case "let_go":
            d.user(LET_GO)
        case "wake":
            wakes(d)
        case "mute" | "unmute":
            d.feed(on.Attend(muted=what == "mute"))
        case "off" | "on":
            d.user(MicSwitch(off=what == "off"))
        case "says":
            if d.state.hearing.hears:
                d.says("hello there")
                speaks(d, "Hello you.")
        case _:
            chosen = {"open": OPEN, "wake_word": WAKE, "ptt": PTT}[what]
            d.feed(on.Attend(chosen))
