"""The rules of feeling: who says what the face shows, and for how long may be talked."""

from typing import Any

import pytest

from hub.session import effects as do
from hub.session import events as on
from hub.session.affect import bias_of, sensed_of
from hub.session.character import Character
from hub.session.state import Policy
from protocols.messages import affect, face, robot, session, speech, turn
from protocols.messages.affect import AffectState, Broken, GuardrailHeld
from protocols.messages.agent import AgentKind
from protocols.messages.face import AffectChanged
from protocols.messages.memory import MemoryState, Remembered
from protocols.messages.robot import Capabilities, Hello
from protocols.messages.turn import Outcome
from tests.hub.session.driver import EVERYBODY, Driver

FEELINGS = (AgentKind.FEELINGS, "primary")
MEMORY = (AgentKind.MEMORY, "primary")
CALM = AffectState(mood="happy", intensity=0.4, valence=0.3, arousal=0.1)
ANNA = Remembered(
    tag="name:anna", category="name", strength=0.9, valence_bias=0.5, arousal_bias=-0.2
)
RAIN = Remembered(tag="likes rain", category="preference", strength=0.5, valence_bias=-0.2)


def feeling(*more: tuple[AgentKind, str], **driver: Any) -> Driver:
    return Driver(agents=(*EVERYBODY, FEELINGS, *more), **driver)


def feels(d: Driver, emotion: str, number: int = 0, intensity: float = 0.4) -> None:
    felt = AffectChanged(emotion=emotion, intensity=intensity, turn=number)
    d.agent(AgentKind.FEELINGS, felt, 0)


def stands(d: Driver, **fields: Any) -> None:
    told = {"mood": "happy", "intensity": 0.4, "valence": 0.3, "arousal": 0.1} | fields
    d.agent(AgentKind.FEELINGS, AffectState(**told), 0)


def faces(d: Driver) -> list[tuple[int, str]]:
    return [(e.turn, e.emotion) for e in d.told(robot.Emotion)]


def feelings_are_told(d: Driver, kind: type) -> list[Any]:
    return [o.message for o in d.all(do.Order) if o.kind is FEELINGS[0] and type(o.message) is kind]


# what the face shows


def test_a_models_emotion_is_a_wish_and_what_comes_back_is_shown() -> None:
    d = feeling()
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="angry", intensity=0.9, mood_reason="a lost game"))
    wish = affect.AffectWish(emotion="angry", intensity=0.9, reason="a lost game", conversing=True)
    assert feelings_are_told(d, affect.AffectWish) == [wish]
    assert faces(d) == []
    feels(d, "thinking", 1)
    assert faces(d) == [(1, "thinking")]
    assert d.told(robot.Emotion)[0].mood_reason == "", "that of what is felt, not of the wish"
    assert d.reported(AffectChanged) == [], "the fact is that of feelings"
    assert d.reported(face.FaceChanged)[-1].emotion == "thinking"


def test_speech_waits_for_the_face_and_not_beyond_twenty_milliseconds() -> None:
    d = feeling()
    d.says("hello robot")
    d.answers("Hello there.", emotion="excited")
    d.wait(19)
    assert d.all(do.Play) == []
    d.wait(1)
    assert faces(d) == [(1, "excited")]
    assert d.all(do.Play) == [do.Play(1)]


def test_a_voice_does_not_feel_what_the_face_must_not_show() -> None:
    d = feeling()
    feels(d, "curious")
    d.says("hello robot")
    d.answers("Hello there.", emotion="angry")
    assert d.ordered(speech.SpeechRequest)[0].emotion == "curious"
    glad = feeling()
    glad.announce("Hooray!", emotion="excited")
    assert glad.ordered(speech.SpeechRequest)[0].emotion == "excited"


def test_who_is_late_is_right_all_the_same() -> None:
    d = feeling()
    d.says("hello robot")
    d.answers("Hello there.", emotion="excited")
    d.wait(20)
    feels(d, "happy", 1)
    assert faces(d) == [(1, "excited"), (1, "happy")]


def test_a_mood_that_changes_in_a_turn_is_shown_and_spoken_from_then_on() -> None:
    d = feeling()
    d.says("tell me a story")
    d.planner(turn.ResponseMeta(emotion="sad"))
    feels(d, "sad", 1)
    feels(d, "neutral")
    d.planner(turn.ResponseDelta(text="Once upon a time. "))
    assert faces(d) == [(1, "sad"), (1, "neutral")]
    assert d.ordered(speech.SpeechRequest)[-1].emotion == "neutral"


def test_a_mood_between_turns_is_of_no_turn_and_no_fence_is_above_it() -> None:
    d = feeling()
    d.converses("tell me a story", "Once upon a time there was a robot.", played_ms=100)
    d.user(robot.Cancel())
    assert d.outcomes[-1][1] is Outcome.CANCELLED
    d.effects.clear()
    feels(d, "sleepy")
    assert faces(d) == [(0, "sleepy")]
    assert d.reported(face.FaceChanged)[-1].emotion == "sleepy"


def test_an_answer_to_the_wish_of_a_turn_that_was_cut_is_only_a_mood() -> None:
    d = feeling()
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="happy"))
    d.user(robot.Cancel())
    d.says("are you there")
    feels(d, "happy", 1)
    assert faces(d) == [(0, "happy")]
    assert d.all(do.Play) == []


def test_without_its_feelings_a_robot_shows_what_the_model_says() -> None:
    d = feeling()
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="excited"))
    d.feed(on.AgentDown(*FEELINGS))
    assert faces(d) == [(1, "excited")], "and does not even wait"
    d.user(robot.Cancel())
    d.says("hello again")
    d.planner(turn.ResponseMeta(emotion="curious"))
    assert faces(d)[-1] == (2, "curious")
    assert d.reported(AffectChanged)[-1].emotion == "curious"


def test_without_feelings_guardrails_hold_all_the_same() -> None:
    d = Driver()
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="angry", intensity=1.0))
    [shown] = d.told(robot.Emotion)
    assert (shown.emotion, shown.intensity) == ("angry", 0.5)
    d.wait(1_999)
    assert len(faces(d)) == 1
    d.wait(1)
    assert faces(d)[-1] == (1, "neutral")
    assert d.reported(face.FaceChanged)[-1].emotion == "neutral"
    d.wait(10_000)
    assert len(faces(d)) == 2


def test_a_mood_that_feelings_do_not_end_is_over_for_everybody_when_the_hub_ends_it() -> None:
    d = feeling()
    feels(d, "sad")
    d.wait(4_250)
    assert faces(d) == [(0, "sad"), (0, "neutral")]
    assert d.reported(face.FaceChanged)[-1].emotion == "neutral"


def test_a_models_anger_ends_with_the_next_mood_or_after_its_turn() -> None:
    d = Driver()
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="scared", intensity=0.4))
    d.user(robot.Cancel())
    d.wait(2_000)
    assert faces(d)[-1] == (0, "neutral")
    d.says("hello again")
    d.planner(turn.ResponseMeta(emotion="sad", intensity=0.4))
    d.user(robot.Cancel())
    d.says("and again")
    d.planner(turn.ResponseMeta(emotion="happy", intensity=0.9))
    d.wait(5_000)
    assert faces(d)[-1] == (3, "happy")


def test_nobody_is_angry_of_itself_with_feelings_or_without() -> None:
    d = Driver()
    d.announce("Lunch is ready.", emotion="angry", intensity=0.9)
    assert faces(d) == [(1, "neutral")]


def test_feelings_that_are_late_are_no_way_around_a_guardrail() -> None:
    d = feeling()
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="angry", intensity=1.0))
    d.wait(20)
    assert [(e.emotion, e.intensity) for e in d.told(robot.Emotion)] == [("angry", 0.5)]
    feels(d, "curious", 1)
    d.wait(5_000)
    assert faces(d)[-1] == (1, "curious")


def test_feelings_that_die_in_anger_leave_nobody_angry() -> None:
    d = feeling()
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="angry", intensity=1.0))
    feels(d, "angry", 1)
    feels(d, "angry", 0, intensity=0.3)
    d.feed(on.AgentDown(*FEELINGS))
    d.wait(2_250)
    assert faces(d)[-1] == (1, "neutral")


def test_who_lets_moods_last_is_obeyed_for_as_long_as_there_are_feelings() -> None:
    d = feeling()
    d.feed(on.Felt(affect.GuardrailSet(negative_duration_caps=False)))
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="angry", intensity=1.0))
    feels(d, "angry", 1)
    d.user(robot.Cancel())
    d.wait(10_000)
    assert faces(d)[-1] == (1, "angry")
    feels(d, "sad")
    d.feed(on.AgentDown(*FEELINGS))
    d.wait(3_999)
    assert faces(d)[-1] == (0, "sad")
    d.wait(1)
    assert faces(d)[-1] == (0, "neutral")


def test_a_robot_with_feelings_of_its_own_weighs_what_the_model_feels_by_itself() -> None:
    d = feeling()
    d.user(robot.Profile(profile={"mood": "calm"}))
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="angry", intensity=1.0))
    d.wait(5_000)
    assert [(e.emotion, e.intensity) for e in d.told(robot.Emotion)] == [("angry", 1.0)]


def test_feelings_are_told_the_limits_of_a_profile_and_when_they_are_gone() -> None:
    d = feeling()
    strict = Character(session_limit_s=300.0, daily_limit_s=0.0)
    d.feed(on.Characterised(strict))
    d.feed(on.Characterised(strict))
    order = affect.GuardrailSet(
        session_time_limit_s=300.0, daily_time_limit_s=0.0, usual_limits=True
    )
    assert feelings_are_told(d, affect.GuardrailSet) == [order]
    d.feed(on.AgentDown(*FEELINGS))
    d.feed(on.AgentUp(*FEELINGS))
    assert feelings_are_told(d, affect.GuardrailSet) == [order, order], "a new one knows nothing"
    d.feed(on.Characterised(Character()))
    assert feelings_are_told(d, affect.GuardrailSet)[2:] == [affect.GuardrailSet(usual_limits=True)]


def test_feelings_that_come_back_serve_the_session_again() -> None:
    d = feeling()
    d.feed(on.AgentDown(*FEELINGS))
    d.feed(on.AgentUp(*FEELINGS))
    assert len(feelings_are_told(d, session.SessionAssign)) == 1


def test_a_robot_shows_no_mood_that_it_does_not_know() -> None:
    d = feeling(hello=Hello(capabilities=Capabilities(emotions=("neutral", "happy"))))
    feels(d, "love")
    assert faces(d) == [(0, "neutral")]


def test_what_somebody_has_the_robot_show_is_a_wish_too() -> None:
    d = feeling()
    d.announce("Lunch is ready.", emotion="excited", intensity=0.8)
    wish = feelings_are_told(d, affect.AffectWish)[0]
    assert (wish.emotion, wish.conversing) == ("excited", False)
    feels(d, "happy", 1)
    assert faces(d) == [(1, "happy")]


def test_an_emote_of_a_plan_is_a_wish_and_no_action() -> None:
    d = feeling()
    d.says("hello robot")
    d.planner(turn.ResponseMeta())
    feels(d, "neutral", 1)
    emote = {"action": "emote", "name": "love", "intensity": 0.7}
    d.planner(turn.ResponseDone(actions=(emote,)))
    assert d.told(robot.Action) == []
    assert feelings_are_told(d, affect.AffectWish)[-1].emotion == "love"


def test_a_face_without_words_is_an_answer_while_feelings_are_asked() -> None:
    d = feeling()
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="happy"))
    d.planner(turn.ResponseDone())
    assert d.outcomes == [(1, Outcome.DONE, "")]
    feels(d, "happy", 1)
    assert faces(d) == [(0, "happy")]


def test_a_filler_is_said_with_the_face_there_is() -> None:
    d = feeling()
    feels(d, "curious")
    d.says("hello robot")
    d.wait(Policy().filler_ms)
    assert faces(d)[-1] == (1, "curious")


def test_a_robot_with_feelings_of_its_own_keeps_them() -> None:
    d = feeling()
    d.user(robot.Profile(profile={"mood": "calm"}))
    assert len(feelings_are_told(d, session.SessionRelease)) == 1
    feels(d, "sad")
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="excited"))
    assert faces(d) == [(1, "excited")]
    assert d.ordered(turn.TurnStart)[0].profile == {"mood": "calm"}


def test_a_robot_that_comes_back_is_told_how_it_feels() -> None:
    d = feeling()
    hello = d.state.hello
    d.feed(on.Connected(2, "sess-2", hello, resumable=True))
    feels(d, "sleepy")
    d.feed(on.Disconnected("gone", 1006))
    assert feelings_are_told(d, session.SessionRelease) == [], "feelings go on"
    d.effects.clear()
    d.feed(on.Connected(3, "sess-2", hello, resumable=True, resumed=True))
    assert faces(d) == [(0, "sleepy")]
    assert len(feelings_are_told(d, session.SessionAssign)) == 1


# what planners are told


def test_planners_are_told_how_the_robot_feels_and_what_it_remembers() -> None:
    d = feeling(MEMORY)
    stands(d, session_time_s=12.5, conversation_active=True)
    d.feed(on.Recalled(MemoryState(consent=True, entries=(ANNA, RAIN))))
    d.says("hello robot")
    assert next(t for t in d.ordered(turn.TurnStart) if t.user_text).profile == {
        "mood": "happy",
        "intensity": 0.4,
        "valence": 0.3,
        "arousal": 0.1,
        "idle_state": "awake",
        "session_time_s": 12.5,
        "memory_tags": ["name:anna", "likes rain"],
    }


# how long may be talked


def test_a_break_is_suggested_once_and_as_soon_as_nobody_speaks() -> None:
    d = feeling()
    d.says("hello robot")
    d.agent(AgentKind.FEELINGS, GuardrailHeld(rule=Broken.SESSION_LIMIT), 0)
    assert d.all(do.KeptBack) == [do.KeptBack("felt", "session_time_limit")]
    d.planner(turn.ResponseMeta())
    feels(d, "neutral", 1)
    d.planner(turn.ResponseDelta(text="Hello there."))
    d.planner(turn.ResponseDone())
    assert d.state.turn is not None
    assert d.state.turn.number == 1
    d.plays(d.voices())
    said = [request.text for request in d.ordered(speech.SpeechRequest)[1:]]
    assert " ".join(said) == Policy().suggest_break
    live = d.state.turn
    assert live is not None
    assert live.claim.interruptible
    d.plays(d.voices())
    assert [outcome for _, outcome, _ in d.outcomes] == [Outcome.DONE, Outcome.DONE]
    assert d.state.turn is None


def test_a_conversation_that_would_begin_after_the_day_is_used_up_is_declined() -> None:
    d = feeling()
    stands(d, daily_limit_reached=True)
    d.says("tell me a story")
    assert feelings_are_told(d, affect.AffectWish)[0].conversing is False
    d.wait(20)
    assert [t for t in d.ordered(turn.TurnStart) if t.user_text] == [], "no planner is asked"
    assert d.ordered(speech.SpeechRequest)[0].text == "That was a lot of talking for today."
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.DONE, "")]


def test_a_conversation_under_way_is_not_cut_by_the_end_of_the_day() -> None:
    d = feeling()
    stands(d, daily_limit_reached=True, conversation_active=True)
    d.says("tell me a story")
    assert [t.user_text for t in d.ordered(turn.TurnStart) if t.user_text] == ["tell me a story"]


def test_somebody_who_is_in_need_is_answered_on_any_day() -> None:
    d = feeling()
    stands(d, daily_limit_reached=True)
    d.says("i want to kill myself")
    assert d.ordered(speech.SpeechRequest)[0].text not in Policy().enough_today


def test_a_reminder_of_a_session_that_is_over_is_not_said() -> None:
    mute = (agent for agent in EVERYBODY if agent[0] is not AgentKind.TTS)
    d = Driver(agents=(*mute, FEELINGS))
    d.agent(AgentKind.FEELINGS, GuardrailHeld(rule=Broken.DAILY_LIMIT), 0)
    d.feed(on.Disconnected("bye", 1000))
    d.feed(on.Connected(2, "sess-2", Hello()))
    d.feed(on.AgentUp(AgentKind.TTS, "primary"))
    assert d.ordered(speech.SpeechRequest) == []


# memories and the body


def test_memories_are_asked_for_at_the_beginning_and_pull_at_feelings() -> None:
    d = Driver(agents=EVERYBODY)
    d.feed(on.AgentUp(*MEMORY))
    assert d.all(do.Recall) == [do.Recall()]
    d.feed(on.Recalled(MemoryState(consent=True, entries=(ANNA, RAIN))))
    d.feed(on.AgentUp(*FEELINGS))
    assert feelings_are_told(d, affect.AffectBias) == [
        affect.AffectBias(valence=0.35, arousal=-0.18)
    ]


@pytest.mark.parametrize(("consent", "noted"), [(True, 1), (False, 0)])
def test_what_is_worth_remembering_is_kept_with_consent_alone(consent: bool, noted: int) -> None:
    d = feeling(MEMORY)
    d.feed(on.Recalled(MemoryState(consent=consent)))
    d.says("i am anna")
    tags = ({"tag": "anna", "category": "name"},)
    d.planner(turn.ResponseMeta(memory_tags=tags))
    assert d.all(do.Note) == [do.Note(tags)] * noted
    assert len(d.told(robot.MemoryTags)) == 1, "the robot has its own say"


def test_nothing_is_noted_as_long_as_nobody_knows_whether_it_may() -> None:
    d = feeling(MEMORY)
    d.says("i am anna")
    d.planner(turn.ResponseMeta(memory_tags=({"tag": "anna", "category": "name"},)))
    assert d.all(do.Note) == []


def test_many_memories_pull_no_further_than_one() -> None:
    entries = (ANNA,) * 20
    assert bias_of(MemoryState(consent=True, entries=entries)).valence == 1.0


def test_feelings_are_told_of_the_body_when_that_is_news() -> None:
    d = feeling()
    world = {"power": {"soc_pct": 24}, "faults": ["TILT"], "recent_events": ["a", "b"]}
    d.user(robot.World(world=world))
    d.user(robot.World(world=world | {"seq": 2}))
    assert feelings_are_told(d, affect.BodySensed) == [
        affect.BodySensed(battery_pct=24, faulty=True, events=("a", "b"))
    ]


@pytest.mark.parametrize(
    "world",
    [
        {}, {"power": 3, "faults": "no", "recent_events": "x"}, {"power": {"soc_pct": "full"}},
        {"power": {"soc_pct": -1}}, {"power": {"soc_pct": float("nan")}}, {"power": {"soc_pct": 1e9}},
    ],
)  # fmt: skip
def test_a_world_that_makes_no_sense_says_nothing(world: dict[str, Any]) -> None:
    assert sensed_of(world) == affect.BodySensed()


def test_a_button_that_is_held_is_felt() -> None:
    d = feeling()
    held = robot.AttentionRequest(attention=session.Attention.PUSH_TO_TALK, held=True)
    d.user(held)
    assert len(feelings_are_told(d, session.AttentionSet)) == 1


def test_orders_from_outside_go_to_feelings() -> None:
    d = feeling()
    d.feed(on.Felt(affect.AffectReset()))
    assert feelings_are_told(d, affect.AffectReset) == [affect.AffectReset()]
