"""Every way out of a robot that is held, and none into one that is held for ever."""

from hub.session import effects as do
from hub.session.state import Barge, Policy
from protocols.messages import robot, transcript, voice
from protocols.messages.agent import AgentKind
from protocols.messages.robot import Hello
from protocols.messages.session import Attention, EchoCanceller, Endpointing
from protocols.messages.turn import Outcome
from tests.hub.session.driver import STORY, Driver

PRESS = robot.AttentionRequest(attention=Attention.PUSH_TO_TALK, held=True)


def telling(**hello: object) -> Driver:
    """A robot in the middle of a story."""
    d = Driver(hello=Hello(**{"aec": EchoCanceller.DEVICE, **hello}))  # type: ignore[arg-type]
    d.converses("tell me a story", STORY, played_ms=450)
    return d


def pauses(d: Driver, number: int) -> None:
    d.ears(voice.VoiceStopped(utterance=number, last_sample=9_000, voiced_ms=300))


def test_whoever_says_uh_huh_twice_in_one_breath_is_heard_out() -> None:
    d = telling()
    number = d.starts_to_speak(confirmed=True)
    pauses(d, number)
    d.wait(1_500)
    d.ears(voice.VoiceStarted(utterance=number, first_sample=0))
    d.wait(250)
    d.ears(voice.VoiceConfirmed(utterance=number, voiced_ms=250))
    d.wait(300)
    pauses(d, number)
    d.wait(1_400)
    assert d.state.barge is Barge.HELD
    d.ends_utterance()
    d.agent(AgentKind.STT, transcript.TranscriptFinal(utterance=number, text="uh huh, uh huh"), 0)
    assert d.outcomes == []
    assert d.all(do.Release) == [do.Release(1)]


def test_a_knock_at_the_end_of_a_long_wait_cuts_nobody() -> None:
    d = telling()
    d.starts_to_speak(confirmed=True)
    pauses(d, d.utterance)
    d.ends_utterance()
    d.wait(Policy().barge_wait_ms - 400)
    d.starts_to_speak()
    d.wait(500)
    assert d.outcomes == []


def test_whoever_holds_the_button_may_think() -> None:
    d = telling()
    d.says("and then")
    d.user(PRESS)
    number = d.starts_to_speak(confirmed=True)
    pauses(d, number)
    d.wait(3 * Policy().barge_wait_ms)
    assert not d.told(robot.Release)


def test_a_voice_that_lasts_cuts_whom_an_earlier_word_had_released() -> None:
    d = telling()
    first = d.starts_to_speak(confirmed=True)
    pauses(d, first)
    d.ends_utterance()
    d.starts_to_speak(confirmed=True)
    d.agent(AgentKind.STT, transcript.TranscriptFinal(utterance=first, text="yeah"), 0)
    assert d.state.barge is Barge.NONE
    d.goes_on_speaking()
    assert d.outcomes == [(1, Outcome.INTERRUPTED, "barge_in")]


def test_a_voice_that_lasts_cuts_nobody_who_may_not_be_cut() -> None:
    d = telling(aec=EchoCanceller.NONE)
    d.starts_to_speak(confirmed=True)
    d.goes_on_speaking()
    assert d.outcomes == []


def test_a_knock_ducks_a_robot_only_until_it_is_over_whoever_ends_utterances() -> None:
    d = telling(endpointing=Endpointing.CLIENT)
    number = d.starts_to_speak()
    assert d.state.barge is Barge.DUCKED
    pauses(d, number)
    assert d.state.barge is Barge.NONE
    assert d.told(robot.Release)
