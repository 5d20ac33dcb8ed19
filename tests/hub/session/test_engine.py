"""The rules of a turn, one conversation each."""

import pytest

from hub.open_turn import OpenTurn, Phrase
from hub.session import effects as do
from hub.session import events as on
from hub.session.state import Barge, Policy
from protocols.messages import action, face, robot, session, speech, transcript, turn, voice
from protocols.messages.agent import AgentKind
from protocols.messages.face import Conversation
from protocols.messages.robot import Hello
from protocols.messages.session import EchoCanceller, Endpointing
from protocols.messages.turn import Outcome, Priority
from tests.hub.session.driver import EVERYBODY, STORY, Driver


def test_a_turn_runs_from_speech_to_speech_and_ends_once() -> None:
    d = Driver()
    d.says("hello robot")
    d.answers("Hello there. How are you today?")
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.DONE, "")]
    assert [r.text for r in d.ordered(speech.SpeechRequest)] == [
        "Hello there.",
        "How are you today?",
    ]
    assert d.state.history[-1].robot == "Hello there. How are you today?"
    assert d.state.turn is None
    assert d.state.face is Conversation.LISTENING


def test_the_face_is_told_before_speech_is_let_out() -> None:
    d = Driver()
    d.says("hello robot")
    d.answers("Hello there.")
    kinds = d.kinds()
    assert kinds.index("Emotion") < kinds.index("Play") < kinds.index("SpeechRequest")


def test_the_thinking_face_comes_with_the_end_of_the_utterance() -> None:
    d = Driver()
    d.starts_to_speak(confirmed=True)
    d.ends_utterance()
    assert d.told(robot.Face)[-1].conversation is Conversation.THINKING
    assert d.ordered(voice.UtteranceFinish)[0].last_sample == 9


def test_the_planner_is_given_the_history_as_heard() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.says("what is your name please")
    history = next(t for t in d.ordered(turn.TurnStart) if "name" in t.user_text).history
    assert history[-1].robot == "Once upon a time there"
    assert history[-1].interrupted


def test_a_voice_ducks_then_holds_then_cuts_the_robot() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.effects.clear()
    d.starts_to_speak()
    assert d.kinds() == ["Duck"]
    d.wait(250)
    d.ears(voice.VoiceConfirmed(utterance=2, voiced_ms=250))
    assert d.kinds()[1:] == ["Hold", "Hold"]
    assert d.outcomes == []
    d.agent(AgentKind.STT, transcript.TranscriptPartial(utterance=2, text="excuse me robot"), 0)
    assert d.outcomes == [(1, Outcome.INTERRUPTED, "barge_in")]
    kinds = d.kinds()
    assert kinds.index("Fence") < kinds.index("Flush") < kinds.index("TurnCancel")


def test_a_word_that_may_be_misheard_does_not_cut_a_robot_that_is_held() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.starts_to_speak(confirmed=True)
    d.agent(AgentKind.STT, transcript.TranscriptPartial(utterance=2, text="o que"), 0)
    assert d.state.barge is Barge.HELD
    d.agent(AgentKind.STT, transcript.TranscriptPartial(utterance=2, text="stop"), 0)
    assert d.outcomes == [(1, Outcome.INTERRUPTED, "barge_in")]


def test_a_confirmed_voice_that_goes_on_interrupts_without_words() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.starts_to_speak(confirmed=True)
    d.wait(Policy().barge_wait_ms - 1)
    assert d.outcomes == []  # a link that stalls is no voice that goes on
    d.goes_on_speaking()
    assert d.outcomes == [(1, Outcome.INTERRUPTED, "barge_in")]


def test_a_voice_that_paused_is_heard_out_however_late_its_end_comes() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    number = d.starts_to_speak(confirmed=True)
    d.ears(voice.VoiceLasted(utterance=number - 1, voiced_ms=600))
    d.wait(2_000)
    d.stops_speaking("uh huh")
    assert d.outcomes == []
    assert d.all(do.Release) == [do.Release(1)]


@pytest.mark.parametrize("text", ["", "mhm", "yeah", "uh huh", "okay", "buddy", "Well."])
def test_a_backchannel_or_a_cough_releases_the_robot(text: str) -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.starts_to_speak(confirmed=True)
    d.stops_speaking(text)
    assert d.all(do.Release) == [do.Release(1)]
    assert d.state.barge is Barge.NONE
    assert d.outcomes == []
    d.plays(d.state.turn.total_ms)
    assert d.outcomes == [(1, Outcome.DONE, "")]


@pytest.mark.parametrize("text", ["no", "Wait!", "hey robot", "gold on", "what", "turn around"])
def test_a_brief_word_that_wants_something_interrupts(text: str) -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.starts_to_speak(confirmed=True)
    d.stops_speaking(text)
    assert d.outcomes == [(1, Outcome.INTERRUPTED, "barge_in")]
    assert d.state.turn.user_text == text


def test_a_lone_word_is_an_answer_to_a_robot_that_is_silent() -> None:
    d = Driver()
    d.says("buddy")
    assert d.state.turn.user_text == "buddy"


def test_a_voice_that_ears_takes_back_releases_the_robot() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.starts_to_speak()
    d.ears(voice.UtteranceDropped(utterance=1 + 1, reason=voice.DropReason.TOO_SHORT))
    assert d.told(robot.Release) == [robot.Release(turn=1)]


def test_without_echo_cancelling_a_voice_does_not_interrupt_speech() -> None:
    d = Driver(aec=EchoCanceller.NONE)
    d.converses("tell me a story", STORY, played_ms=450)
    d.effects.clear()
    d.starts_to_speak(confirmed=True)
    assert d.told(robot.Duck) == []
    assert [o.utterance for o in d.ordered(voice.UtteranceDrop)] == [2, 2]
    d.stops_speaking("once upon a time")
    assert d.outcomes == []


def test_cancel_interrupts_whatever_the_echo() -> None:
    d = Driver(aec=EchoCanceller.NONE)
    d.converses("tell me a story", STORY, played_ms=450)
    d.user(robot.Cancel())
    assert d.outcomes == [(1, Outcome.CANCELLED, "client")]
    assert d.state.history[-1].robot == "Once upon a time there"
    d.answers("More.")
    assert d.state.turn is None


def test_the_user_goes_on_before_the_answer_is_heard_and_it_is_one_exchange() -> None:
    d = Driver()
    d.says("find the ball")
    d.answers("I will look for it.")
    d.says("the red one")
    assert d.outcomes == [(1, Outcome.REOPENED, "user_spoke")]
    assert d.reported(turn.TurnReopened) == [turn.TurnReopened(by=2)]
    assert d.state.turn.user_text == "find the ball the red one"
    d.answers("I will look for the red ball.")
    d.plays(d.voices())
    assert [e.user for e in d.state.history] == ["find the ball the red one"]


def test_a_reopened_turn_is_answered_after_all_if_nothing_more_was_said() -> None:
    d = Driver()
    d.says("find the ball")
    d.starts_to_speak(confirmed=True)
    d.goes_on_speaking()
    assert d.outcomes == [(1, Outcome.REOPENED, "barge_in")]
    d.stops_speaking("")
    assert d.state.turn.user_text == "find the ball"


def test_who_goes_on_and_on_before_a_sound_is_answered_on_the_end_of_it() -> None:
    d = Driver(policy=Policy(user_chars=40))
    for number in range(6):
        d.says(f"and then number {number}")
    assert d.state.turn.user_text.endswith("4 and then number 5")
    assert len(d.state.turn.user_text) == 40


def test_an_utterance_while_the_transcript_is_due_continues_it() -> None:
    d = Driver()
    d.starts_to_speak(confirmed=True)
    d.ends_utterance()
    d.starts_to_speak()
    d.agent(AgentKind.STT, transcript.TranscriptFinal(utterance=1, text="turn"), 0)
    d.stops_speaking("around")
    assert d.state.turn.user_text == "turn around"


@pytest.mark.parametrize("text", ["stop", "Be quiet!", "please stop", "shut up"])
def test_words_that_act_at_once_need_no_planner(text: str) -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.says(text)
    assert [o[:2] for o in d.outcomes] == [(1, Outcome.INTERRUPTED)]
    assert d.state.turn is None
    assert len(d.ordered(turn.TurnStart)) == 2  # planner and tts of the first turn


def test_louder_turns_the_volume_up_and_lets_the_robot_go_on() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.starts_to_speak(confirmed=True)
    d.agent(AgentKind.STT, transcript.TranscriptFinal(utterance=2, text="louder"), 0)
    assert d.told(robot.Action)[0].params == {"delta": 0.2}
    assert d.told(robot.Release) == [robot.Release(turn=1)]
    assert d.outcomes == []


def test_facts_of_a_fenced_turn_are_dropped_and_counted() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.user(robot.Cancel())
    d.effects.clear()
    d.agent(AgentKind.PLANNER, turn.ResponseDelta(text="Too late."), 1)
    d.agent(
        AgentKind.TTS, speech.SpeechEnded(phrase=0, first_sample=0, last_sample=1, rate_hz=1), 1
    )
    assert d.effects == [do.Stale("ResponseDelta"), do.Stale("SpeechEnded")]


def test_a_late_planner_is_replaced_by_the_reflex_planner() -> None:
    d = Driver()
    d.says("hello robot")
    d.wait(4_000)
    assert d.ordered(turn.TurnCancel)[0].reason == "llm_timeout"
    assert d.ordered(turn.TurnStart, "reflex")[0].user_text == "hello robot"
    d.answers("I was slow.")
    d.answers("Hello.", role="reflex")
    d.plays(d.voices())
    ended = d.reported(turn.TurnEnded)[0]
    assert (ended.responder, ended.fallback, ended.outcome) == ("reflex", "llm_timeout", "done")
    assert ended.response_text == "Hm, let me think. Hello.".removeprefix("Hm, let me think. ")


@pytest.mark.parametrize("code", ["llm_nonsense", "backend_unavailable"])
def test_a_failing_planner_is_replaced_at_once(code: str) -> None:
    d = Driver()
    d.says("hello robot")
    d.planner(turn.TurnFailed(code=code))
    assert d.state.turn.role == "reflex"
    assert d.state.turn.fallback == code


def test_a_planner_that_dies_is_replaced_at_once() -> None:
    d = Driver()
    d.says("hello robot")
    d.feed(on.AgentDown(AgentKind.PLANNER, "primary"))
    assert (d.state.turn.role, d.state.turn.fallback) == ("reflex", "planner_down")


def test_a_planner_that_fails_in_the_middle_ends_the_turn_with_what_was_said() -> None:
    d = Driver()
    d.says("hello robot")
    d.planner(turn.ResponseMeta())
    d.planner(turn.ResponseDelta(text="Hello there. I was about to"))
    d.planner(turn.TurnFailed(code="backend_timeout"))
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.FAILED, "backend_timeout")]


def test_without_any_planner_the_robot_apologises() -> None:
    d = Driver(agents=tuple(a for a in EVERYBODY if a[0] is not AgentKind.PLANNER))
    d.says("hello robot")
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.FAILED, "no_planner")]
    assert d.ordered(speech.SpeechRequest)[0].text == Policy().apology


def test_a_voice_that_paused_does_not_hold_the_robot_until_its_client_ends_the_utterance() -> None:
    d = Driver(hello=Hello(aec=EchoCanceller.DEVICE, endpointing=Endpointing.CLIENT))
    d.converses("tell me a story", STORY, played_ms=450)
    number = d.starts_to_speak(confirmed=True)
    assert d.state.barge is Barge.HELD
    d.ears(voice.VoiceStopped(utterance=number, last_sample=9_000, voiced_ms=300))
    assert d.state.barge is Barge.NONE
    assert d.told(robot.Release)
    d.stops_speaking("what happened then")
    assert d.outcomes == [(1, Outcome.INTERRUPTED, "user_spoke")]


@pytest.mark.parametrize("paused", [False, True])
def test_no_robot_is_held_for_ever_by_a_microphone_that_falls_silent(paused: bool) -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    number = d.starts_to_speak(confirmed=True)
    if paused:
        d.ears(voice.VoiceStopped(utterance=number, last_sample=9_000, voiced_ms=300))
    d.wait(Policy().barge_wait_ms)
    assert d.state.barge is Barge.NONE
    assert d.outcomes == ([] if paused else [(1, Outcome.INTERRUPTED, "barge_in")])


def test_an_empty_response_is_nonsense() -> None:
    d = Driver()
    d.says("hello robot")
    d.planner(turn.ResponseDone())
    assert d.state.turn.fallback == "llm_nonsense"


def test_a_response_without_text_is_a_face_and_ends() -> None:
    d = Driver()
    d.says("smile for me")
    d.answers("")
    assert d.outcomes == [(1, Outcome.DONE, "")]
    assert d.ordered(speech.SpeechFinish)[0].phrases == 0


def test_a_filler_is_spoken_while_the_planner_thinks_and_is_not_history() -> None:
    d = Driver()
    d.says("hello robot")
    d.wait(2_500)
    assert [r.text for r in d.ordered(speech.SpeechRequest)] == [Policy().filler]
    d.answers("Hello.")
    d.plays(d.voices())
    assert d.state.history[-1].robot == "Hello."


def test_speech_that_never_reaches_the_loudspeaker_ends_the_turn() -> None:
    d = Driver()
    d.says("hello robot")
    d.answers("Hello.")
    d.wait(4_000)
    assert d.outcomes == [(1, Outcome.FAILED, "speech_missing")]


def test_a_lost_voice_ends_its_turn_and_the_next_one_works() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.feed(on.AgentDown(AgentKind.TTS, "primary"))
    assert d.outcomes == [(1, Outcome.FAILED, "tts_down")]
    d.feed(on.AgentUp(AgentKind.TTS, "primary"))
    d.says("are you there")
    d.answers("Yes.")
    d.plays(d.voices())
    assert d.outcomes[-1] == (2, Outcome.DONE, "")


def test_a_lost_recogniser_is_told_and_does_not_leave_the_robot_thinking() -> None:
    d = Driver()
    d.starts_to_speak(confirmed=True)
    d.ends_utterance()
    d.feed(on.AgentDown(AgentKind.STT, "primary"))
    assert d.told(robot.Error)[0].code == "stt_down"
    assert d.state.face is Conversation.LISTENING


def test_a_transcript_that_never_comes_is_given_up() -> None:
    d = Driver()
    d.starts_to_speak(confirmed=True)
    d.ends_utterance()
    d.wait(8_000)
    assert d.told(robot.Error)[0].code == "stt_timeout"
    d.agent(AgentKind.STT, transcript.TranscriptFinal(utterance=1, text="late"), 0)
    assert d.state.turn is None


def test_the_end_of_a_phrase_that_nobody_requested_ends_nothing() -> None:
    d = Driver()
    d.says("hello robot")
    early = speech.SpeechEnded(phrase=0, first_sample=0, last_sample=9, rate_hz=16_000)
    d.agent(AgentKind.TTS, early)
    d.answers("Hello there.")
    assert d.outcomes == []
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.DONE, "")]


def test_what_is_being_said_when_the_recogniser_goes_is_lost_and_told_at_once() -> None:
    d = Driver()
    number = d.starts_to_speak(confirmed=True)
    d.feed(on.AgentDown(AgentKind.STT, "primary"))
    assert [error.code for error in d.told(robot.Error)] == ["stt_down"]
    assert [drop.utterance for drop in d.ordered(voice.UtteranceDrop)] == [number]
    d.feed(on.AgentUp(AgentKind.STT, "primary"))
    d.ends_utterance()
    assert d.ordered(voice.UtteranceFinish) == []
    d.says("hello again")
    assert d.state.turn.user_text == "hello again"


def test_without_a_recogniser_nobody_waits_for_a_transcript() -> None:
    d = Driver(agents=tuple(a for a in EVERYBODY if a[0] is not AgentKind.STT))
    d.starts_to_speak(confirmed=True)
    d.ends_utterance()
    assert [error.code for error in d.told(robot.Error)] == ["stt_down"]
    assert d.state.awaited is None
    assert d.state.face is Conversation.LISTENING


def test_agents_that_come_up_are_assigned_the_session() -> None:
    d = Driver(agents=())
    d.feed(on.AgentUp(AgentKind.EARS, "primary"))
    assert d.ordered(session.SessionAssign)[0].aec is EchoCanceller.DEVICE


def test_a_takeover_ends_the_live_turn_and_history_goes_on() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.feed(on.Connected(2, "sess-2", Hello(), history=d.state.history))
    assert d.outcomes == [(1, Outcome.CANCELLED, "takeover")]
    assert d.state.last_turn == 1
    d.says("hello again")
    assert d.state.turn.number == 2


def test_a_disconnect_ends_the_turn_and_releases_the_agents() -> None:
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.feed(on.Disconnected("gone", 1006))
    assert d.outcomes == [(1, Outcome.CANCELLED, "disconnected")]
    assert len(d.ordered(session.SessionRelease)) == 2
    assert d.state.due_ns is None
    assert d.reported(session.Presence)[-1].connected is False


def test_an_announcement_is_spoken_and_its_caller_told() -> None:
    d = Driver()
    d.announce()
    d.plays(d.voices())
    assert d.all(do.Settle) == [do.Settle(7, Outcome.DONE)]
    assert d.ordered(turn.TurnStart)[0].user_text == ""


@pytest.mark.parametrize(
    ("holder", "reason"), [(Priority.PLAN, "busy_with_plan"), (Priority.USER, "busy_with_user")]
)
def test_an_announcement_does_not_take_a_voice_that_is_busy(holder: Priority, reason: str) -> None:
    d = Driver()
    if holder is Priority.USER:
        d.converses("tell me a story", STORY, played_ms=450)
    else:
        d.announce(request=1)
    d.announce()
    assert d.all(do.Settle) == [do.Settle(7, reason)]


def test_a_gesture_without_words_is_a_turn_that_ends_at_once() -> None:
    d = Driver()
    d.announce("", emotion="happy", intensity=0.8, gestures=("nod", "fly"))
    assert d.told(robot.Emotion)[-1].emotion == "happy"
    assert d.told(robot.Gestures)[-1].names == ("nod",)
    assert d.all(do.Settle) == [do.Settle(7, Outcome.DONE)]
    assert d.ordered(speech.SpeechRequest) == []
    assert d.state.turn is None


def test_a_gesture_needs_no_voice_and_takes_nobodys() -> None:
    voiceless = tuple(agent for agent in EVERYBODY if agent[0] is not AgentKind.TTS)
    d = Driver(agents=voiceless)
    d.announce("", gestures=("nod",))
    assert d.all(do.Settle) == [do.Settle(7, Outcome.DONE)]
    d = Driver()
    d.converses("tell me a story", STORY, played_ms=450)
    d.announce("", gestures=("nod",))
    assert d.all(do.Settle) == [do.Settle(7, "busy_with_user")]


def test_an_announcement_waits_for_nobody_who_speaks() -> None:
    d = Driver()
    d.starts_to_speak(confirmed=True)
    d.announce()
    assert d.all(do.Settle) == [do.Settle(7, "user_speaking")]


def test_safety_interrupts_everything() -> None:
    d = Driver()
    d.announce("Listen to this.", interruptible=False, request=1)
    d.announce("Fire!", priority=Priority.SAFETY)
    assert d.all(do.Settle) == [do.Settle(1, Outcome.SUPERSEDED)]
    assert d.state.turn.claim.priority is Priority.SAFETY


def test_what_is_said_during_an_announcement_that_may_not_be_cut_is_answered_after_it() -> None:
    d = Driver()
    d.announce("The battery door is open.", interruptible=False)
    length = d.voices()
    d.plays(200)
    d.user(robot.Text(text="what did you say"))
    assert d.outcomes == []
    d.plays(length)
    assert d.state.turn.user_text == "what did you say"


def test_actions_are_checked_against_what_the_robot_can_do() -> None:
    able = robot.Capabilities(gestures=("nod",), skills=("scan_for_target",))
    d = Driver(hello=Hello(aec=EchoCanceller.DEVICE, capabilities=able))
    d.says("find the ball and wiggle")
    d.planner(turn.ResponseMeta(gestures=("nod", "wiggle")))
    wanted = (
        {"action": "skill", "name": "scan_for_target"},
        {"action": "skill", "name": "patrol_drift"},
        {"action": "rm -rf"},
    )
    d.planner(turn.ResponseDone(actions=wanted))
    assert d.told(robot.Gestures)[0].names == ("nod",)
    assert [a.name for a in d.told(robot.Action)] == ["scan_for_target"]
    ids = [a.id for a in d.reported(action.ActionRequested)]
    assert len(ids) == len(set(ids)) == 1


def test_the_feelings_agent_decides_the_face_and_is_not_waited_for_long() -> None:
    d = Driver(agents=(*EVERYBODY, (AgentKind.FEELINGS, "primary")))
    d.says("hello robot")
    d.answers("Hello there.", emotion="excited")
    assert d.told(robot.Emotion) == []
    d.agent(AgentKind.FEELINGS, face.AffectChanged(emotion="happy", intensity=0.4, turn=1), 0)
    assert [e.emotion for e in d.told(robot.Emotion)] == ["happy"]
    d.user(robot.Cancel())
    d.says("hello robot")
    d.answers("Hello there.", emotion="excited")
    d.wait(20)
    assert d.told(robot.Emotion)[-1].emotion == "excited"


def test_a_planner_that_calls_tools_is_given_its_deadline_anew_but_not_for_ever() -> None:
    d = Driver(policy=Policy(planner_deadline_ms=1_000))
    d.says("what is the weather like")
    for call in ("c1", "c2"):
        d.wait(900)
        d.planner(turn.ToolPending(call=call, name="weather"))
        d.wait(900)
        d.planner(turn.ToolDone(call=call, name="weather", ok=True))
    assert d.state.turn.role == "primary"
    d.wait(900)
    d.planner(turn.ToolPending(call="c3", name="weather"))
    d.wait(100)
    assert d.state.turn.role == "reflex"
    assert d.state.turn.fallback == "llm_timeout"


def test_a_tool_does_not_shorten_the_pause_that_an_answer_may_make() -> None:
    d = Driver(policy=Policy(planner_deadline_ms=1_000))
    d.says("what is the weather like")
    d.planner(turn.ResponseMeta())
    d.planner(turn.ToolPending(call="c1", name="weather"))
    d.wait(1_000)
    assert d.state.turn.role == "primary"


def test_a_tool_that_is_out_when_its_turn_is_cut_is_recorded_as_orphaned() -> None:
    d = Driver()
    d.says("switch the light on")
    d.planner(turn.ToolPending(call="c1", name="light"))
    d.planner(turn.ToolPending(call="c2", name="look"))
    d.planner(turn.ToolDone(call="c2", name="look", ok=True))
    d.user(robot.Cancel())
    assert d.reported(turn.TurnEnded)[0].orphaned_tools == ("light",)


def test_a_client_that_ends_utterances_itself_is_not_interrupted_by_its_own_microphone() -> None:
    d = Driver(hello=Hello(endpointing=Endpointing.CLIENT))
    d.user(robot.EndUtterance())
    assert len(d.ordered(voice.UtteranceClose)) == 1
    d.converses("tell me a story", STORY, played_ms=450)
    d.effects.clear()
    d.starts_to_speak(confirmed=True)
    assert d.effects == []


def test_typed_text_is_a_turn_and_blank_text_is_nothing() -> None:
    d = Driver()
    d.user(robot.Text(text="  \n "))
    assert d.state.turn is None
    d.user(robot.Text(text=" hello  robot "))
    assert d.state.turn.user_text == "hello robot"


def test_the_waterfall_adds_up_to_the_time_from_speech_end_to_sound() -> None:
    d = Driver()
    d.starts_to_speak(confirmed=True)
    spoken_until = d.now
    d.stops_speaking("hello robot")
    d.wait(30)
    d.answers("Hello there.")
    d.wait(5)
    d.voices()
    d.wait(20)
    d.plays(d.state.turn.total_ms)
    segments = d.reported(turn.TurnEnded)[0].segments
    # ears stamps the end of speech with its own time, here the time of the event
    assert sum(s.ms for s in segments) == pytest.approx((d.now - spoken_until) / 1e6 - 200)
    assert [s.name for s in segments][:2] == ["endpointing", "transcript"]


def test_a_recogniser_that_gives_the_session_up_is_asked_again() -> None:
    d = Driver()
    d.agent(AgentKind.STT, turn.TurnFailed(code="inbox_overrun"), 0)
    assert len(d.ordered(session.SessionAssign)) == 1
    assert d.state.has(AgentKind.STT, "primary")


def test_an_end_of_speech_that_comes_twice_ends_nothing() -> None:
    d = Driver()
    d.announce("Lunch is ready now. Please come down to the kitchen.")
    length = d.voices()
    d.plays(100)
    again = speech.SpeechEnded(phrase=0, first_sample=0, last_sample=9, rate_hz=16_000)
    d.agent(AgentKind.TTS, again)
    assert d.state.turn.total_ms == length
    assert d.all(do.Stale) == [do.Stale("SpeechEnded")]


def test_without_a_voice_the_turn_is_text_and_says_so() -> None:
    d = Driver(agents=tuple(a for a in EVERYBODY if a[0] is not AgentKind.TTS))
    d.says("hello robot")
    d.wait(3_000)
    d.answers("Hello there. How are you today?")
    assert d.outcomes == [(1, Outcome.FAILED, "tts_unavailable")]
    assert d.told(robot.TurnEnd)[0].response_text == "Hello there. How are you today?"
    assert d.ordered(speech.SpeechRequest) == []


def test_a_voice_that_fails_leaves_the_rest_of_the_answer_as_text() -> None:
    d = Driver()
    d.says("hello robot")
    d.planner(turn.ResponseMeta())
    d.planner(turn.ResponseDelta(text="Hello there. How are "))
    d.agent(AgentKind.TTS, turn.TurnFailed(code="tts_disabled"))
    assert d.outcomes == []
    d.planner(turn.ResponseDelta(text="you today?"))
    d.planner(turn.ResponseDone())
    assert d.outcomes == [(1, Outcome.FAILED, "tts_disabled")]
    assert d.reported(turn.TurnEnded)[0].response_text == "Hello there. How are you today?"


def test_what_waits_is_answered_even_if_ears_die() -> None:
    d = Driver()
    d.says("find the ball")
    d.starts_to_speak(confirmed=True)
    d.wait(350)
    d.feed(on.AgentDown(AgentKind.EARS, "primary"))
    assert d.state.turn.user_text == "find the ball"


def test_a_noise_that_never_ends_does_not_silence_announcements() -> None:
    d = Driver(hello=Hello(endpointing=Endpointing.CLIENT))
    d.starts_to_speak()
    d.ears(voice.VoiceStopped(utterance=1, last_sample=9, voiced_ms=60))
    d.announce()
    assert d.state.turn is not None


def away() -> Driver:
    """A robot that has lost its connection in the middle of its story."""
    d = Driver()
    d.feed(on.Connected(1, "sess-1", Hello(aec=EchoCanceller.DEVICE), resumable=True))
    d.converses("tell me a story", STORY, played_ms=450)
    d.effects.clear()
    d.feed(on.Disconnected("gone", 1006))
    return d


def back(d: Driver, epoch: int = 2) -> None:
    hello = Hello(aec=EchoCanceller.DEVICE, resume="sess-1")
    d.feed(on.Connected(epoch, "sess-1", hello, d.state.history, resumable=True, resumed=True))


def test_a_robot_that_lost_its_connection_is_waited_for_and_its_session_goes_on() -> None:
    d = away()
    assert [p.connected for p in d.reported(session.Presence)] == [False]
    d.wait(29_000)
    assert d.outcomes == []
    back(d)
    assert d.outcomes == []
    assert [s.resumed for s in d.reported(session.SessionStarted)] == [True]
    assert d.reported(session.SessionEnded) == []
    assert d.all(do.Resume) == [do.Resume()]
    d.plays(d.state.turn.total_ms)
    assert d.outcomes == [(1, Outcome.DONE, "")]


def test_a_robot_that_does_not_come_back_ends_turn_and_session_once() -> None:
    d = away()
    d.wait(30_000)
    assert d.outcomes == [(1, Outcome.CANCELLED, "disconnected")]
    assert d.state.history[-1].robot == "Once upon a time there"
    assert [(e.reason, e.code) for e in d.reported(session.SessionEnded)] == [("gone", 1006)]
    d.wait(60_000)
    assert len(d.outcomes) == 1


def test_a_hub_that_sends_its_robots_away_leaves_only_turns_to_its_next_run() -> None:
    d = away()
    d.wait(30_000)
    back(d, epoch=3)
    d.effects.clear()
    d.feed(on.Disconnected("draining", 4010))
    assert [e.code for e in d.reported(session.SessionEnded)] == [4010]
    d.feed(on.Connected(4, "sess-4", Hello(aec=EchoCanceller.DEVICE), resumable=True))
    d.converses("tell me a story", STORY, played_ms=450)
    d.effects.clear()
    d.feed(on.Disconnected("draining", 4010))
    assert d.outcomes == []
    assert d.reported(session.SessionEnded) == []


def test_nobody_new_may_speak_through_a_robot_that_is_away() -> None:
    d = away()
    d.announce()
    assert [s.outcome for s in d.all(do.Settle)] == ["not_connected"]


def test_a_transcript_that_comes_while_the_robot_is_away_is_answered() -> None:
    d = Driver()
    d.feed(on.Connected(1, "sess-1", Hello(aec=EchoCanceller.DEVICE), resumable=True))
    d.starts_to_speak(confirmed=True)
    d.ends_utterance()
    d.feed(on.Disconnected("gone", 1006))
    d.agent(AgentKind.STT, transcript.TranscriptFinal(utterance=1, text="hello robot"), 0)
    assert d.state.turn is not None
    assert d.state.turn.user_text == "hello robot"


def test_a_transcript_that_has_not_come_when_the_robot_is_back_never_will() -> None:
    d = Driver()
    d.feed(on.Connected(1, "sess-1", Hello(aec=EchoCanceller.DEVICE), resumable=True))
    d.starts_to_speak(confirmed=True)
    d.ends_utterance()
    d.feed(on.Disconnected("gone", 1006))
    back(d)
    assert [e.code for e in d.told(robot.Error)] == ["disconnected"]
    assert d.state.face is Conversation.LISTENING


def test_what_the_user_was_saying_is_dropped_with_its_reason() -> None:
    d = Driver()
    d.feed(on.Connected(1, "sess-1", Hello(aec=EchoCanceller.DEVICE), resumable=True))
    d.starts_to_speak(confirmed=True)
    d.effects.clear()
    d.feed(on.Disconnected("gone", 1006))
    assert {o.reason for o in d.ordered(voice.UtteranceDrop)} == {voice.DropReason.CUT}


def test_what_a_restart_cut_short_waits_for_a_voice_and_not_for_ever() -> None:
    cut = OpenTurn(
        session="s", epoch=1, turn=4, priority=Priority.USER, user="tell me",
        phrases=(Phrase("One two.", words=(speech.WordMark("One", 0, 100),)),),
    )  # fmt: skip
    for wait_ms, spoken in ((5_000, ["two."]), (11_000, [])):
        d = Driver(agents=())
        d.feed(on.Restarted(cut, played_ms=100))
        assert d.outcomes == [(4, Outcome.CANCELLED, "hub_restarted")]
        assert d.state.history[-1].robot == "One"
        d.wait(wait_ms)
        d.feed(on.AgentUp(AgentKind.TTS, "primary"))
        assert [r.text for r in d.ordered(speech.SpeechRequest)] == spoken
