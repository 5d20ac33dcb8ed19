"""Who a robot is acts from its next turn on, and never within one."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from hub.session import effects as do
from hub.session import events as on
from hub.session.character import Character
from protocols.messages import robot, session, speech, transcript, turn
from protocols.messages.agent import AgentKind
from protocols.messages.turn import Outcome
from tests.hub.session.driver import Driver

MILO = Character(
    name="Milo", persona="You love the sea.", language="de", voice="milo", volume=0.5,
    able=frozenset({"nod", "patrol_drift"}), tools=("weather.*",),
)  # fmt: skip


def asked(d: Driver) -> turn.TurnStart:
    """What a planner was asked last."""
    return [order for order in d.ordered(turn.TurnStart) if order.user_text][-1]


def test_the_planner_is_told_who_the_robot_is_and_what_it_may() -> None:
    d = Driver()
    d.feed(on.Characterised(MILO))
    d.says("who are you")
    start = asked(d)
    assert (start.name, start.persona) == ("Milo", "You love the sea.")
    assert (start.gestures, start.skills) == (("nod",), ("patrol_drift",))
    assert (start.language, start.may_use) == ("de", ("weather.*",))


def test_its_voice_speaks_with_its_language_and_volume() -> None:
    d = Driver()
    d.feed(on.Characterised(MILO))
    d.says("who are you")
    d.answers("Milo.")
    request = d.ordered(speech.SpeechRequest)[-1]
    assert (request.voice, request.language, request.volume) == ("milo", "de", 0.5)


def test_a_turn_under_way_keeps_its_voice() -> None:
    d = Driver()
    d.says("tell me a story")
    d.planner(turn.ResponseMeta())
    d.planner(turn.ResponseDelta(text="Once upon a time. "))
    d.feed(on.Characterised(MILO))
    d.planner(turn.ResponseDelta(text="There was a robot. "))
    d.planner(turn.ResponseDone())
    d.plays(d.voices())
    assert {r.voice for r in d.ordered(speech.SpeechRequest)} == {""}
    assert d.outcomes == [(1, Outcome.DONE, "")]
    d.says("who are you")
    assert asked(d).name == "Milo"


def test_the_recogniser_hears_another_language_once_nobody_speaks() -> None:
    d = Driver()
    d.starts_to_speak(confirmed=True)
    d.feed(on.Characterised(MILO))
    assert d.ordered(session.SessionAssign) == []
    d.stops_speaking("")
    assert [o.language for o in d.ordered(session.SessionAssign)] == ["de"]


def test_a_change_of_voice_alone_leaves_the_recogniser_alone() -> None:
    d = Driver()
    d.feed(on.Characterised(Character(voice="milo")))
    assert d.ordered(session.SessionAssign) == []


def test_what_it_may_not_do_is_not_done_though_its_body_could() -> None:
    d = Driver()
    d.feed(on.Characterised(MILO))
    d.says("dance")
    d.planner(turn.ResponseMeta(emotion="happy", gestures=("nod", "spin")))
    d.planner(turn.ResponseDelta(text="Look."))
    actions = tuple({"action": "skill", "name": n} for n in ("patrol_drift", "investigate_ball"))
    d.planner(turn.ResponseDone(actions=actions))
    assert [g.names for g in d.told(robot.Gestures)] == [("nod",)]
    assert [a.name for a in d.told(robot.Action)] == ["patrol_drift"]
    assert d.told(robot.Emotion)[-1].emotion == "happy"


def test_a_timer_is_set_without_a_planner_and_what_comes_of_it_is_said() -> None:
    d = minding()
    d.says("set a timer for five minutes")
    wish = d.all(do.Remind)[-1]
    assert not [o for o in d.ordered(turn.TurnStart) if o.user_text]
    d.feed(on.Reminded(wish.turn, "Your timer is running: five minutes."))
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.DONE, "")]
    assert d.state.history[-1].robot == "Your timer is running: five minutes."


def test_a_timer_that_could_not_be_set_is_apologised_for() -> None:
    d = minding()
    d.says("set a timer for five minutes")
    d.feed(on.Reminded(1, ""))
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.FAILED, "not_kept")]


def test_a_timer_that_nobody_answers_for_is_apologised_for() -> None:
    d = minding()
    d.says("set a timer for five minutes")
    d.wait(d.state.policy.planner_deadline_ms)
    assert d.state.turn is not None
    assert d.state.turn.text == d.state.policy.apology
    d.feed(on.Reminded(1, "Your timer is running."))
    assert d.all(do.Stale)[-1] == do.Stale("Reminded")


def test_what_was_set_before_the_user_went_on_is_taken_back() -> None:
    d = minding()
    d.says("set a timer for five minutes")
    d.says("and ten seconds")
    assert [each.turn for each in d.all(do.TakeBack)] == [1]
    assert d.all(do.Remind)[-1].wish.when.seconds == 310


def told_to_stop(d: Driver) -> None:
    d.says("stop")


def told_to_stop_as_it_is_said(d: Driver) -> None:
    number = d.starts_to_speak(confirmed=True)
    d.agent(AgentKind.STT, transcript.TranscriptPartial(utterance=number, text="stop"), 0)
    d.stops_speaking("stop")


def cancelled_by_the_robot(d: Driver) -> None:
    d.user(robot.Cancel())


@pytest.mark.parametrize(
    "unwanted", [told_to_stop, told_to_stop_as_it_is_said, cancelled_by_the_robot]
)
@pytest.mark.parametrize("is_set", [False, True])
def test_what_the_user_stops_before_any_of_its_confirmation_is_heard_is_taken_back(
    unwanted: Callable[[Driver], None], is_set: bool
) -> None:
    d = minding()
    d.says("set a timer for five minutes")
    if is_set:
        d.feed(on.Reminded(1, "Your timer is running: five minutes."))
    unwanted(d)
    assert d.state.turn is None
    assert [each.turn for each in d.all(do.TakeBack)] == [1]
    assert len(d.all(do.Remind)) == 1


def test_a_timer_whose_confirmation_is_cut_short_stays() -> None:
    d = minding()
    d.says("set a timer for five minutes")
    d.feed(on.Reminded(1, "Your timer is running: five minutes."))
    d.voices()
    d.plays(200)
    d.says("stop")
    assert d.outcomes == [(1, Outcome.INTERRUPTED, "stop_word")]
    assert d.all(do.TakeBack) == []


def test_a_timer_outlives_the_connection_of_the_robot_it_was_asked_of() -> None:
    d = minding()
    d.says("set a timer for five minutes")
    d.feed(on.Disconnected("bye", 1000))
    assert d.outcomes == [(1, Outcome.CANCELLED, "disconnected")]
    assert d.all(do.TakeBack) == []


def test_a_user_who_goes_on_while_the_robot_is_away_has_one_timer() -> None:
    d = minding()
    d.feed(on.Connected(2, "sess-2", robot.Hello(), resumable=True))
    d.says("set a timer for five minutes")
    d.feed(on.Reminded(1, "Your timer is running: five minutes."))
    d.starts_to_speak(confirmed=True)
    d.ends_utterance()
    d.feed(on.Disconnected("gone", 1006))
    d.agent(
        AgentKind.STT, transcript.TranscriptFinal(utterance=d.utterance, text="for the eggs"), 0
    )
    assert [each.turn for each in d.all(do.TakeBack)] == [1]


def test_only_english_is_understood_without_a_planner() -> None:
    d = minding()
    d.feed(on.Characterised(Character(language="de")))
    d.says("set a timer for five minutes")
    assert d.all(do.Remind) == []


def test_where_nobody_keeps_reminders_the_planner_is_asked() -> None:
    d = Driver()
    d.says("set a timer for five minutes")
    assert asked(d).user_text == "set a timer for five minutes"


def minding() -> Driver:
    """A robot of a hub that keeps reminders."""
    d = Driver()
    d.state = replace(d.state, keeps_reminders=True)
    return d
