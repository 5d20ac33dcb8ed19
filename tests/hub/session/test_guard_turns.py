"""The guard in a turn: what is spoken, what planners are asked, what is remembered and counted."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.planner.backends.scripted import Script, ScriptedPlanner
from hub.session import effects as do
from hub.session import guard
from hub.session.guard_replies import ANSWERS, INSTEAD, NOTES
from hub.session.guard_words import Category
from hub.session.state import Policy
from protocols.messages import action, robot, speech, turn
from protocols.messages.agent import AgentKind
from protocols.messages.face import Conversation
from protocols.messages.robot import Hello
from protocols.messages.turn import Outcome
from tests.conversations.stage import Robot, stage
from tests.hub.session.driver import EVERYBODY, Driver
from tests.hub.session.guard_sentences import (
    FORBIDDEN_EITHER_WAY,
    FORBIDDEN_TO_HEAR,
    FORBIDDEN_TO_SAY,
    INNOCENT,
)
from tests.virtual_time import virtual

VIOLENT = "I will kill you."
SAFE = INSTEAD[Category.VIOLENCE]


def spoken(d: Driver) -> list[str]:
    return [request.text for request in d.ordered(speech.SpeechRequest)]


def asked(d: Driver) -> list[turn.TurnStart]:
    """What planners were asked; tts is told of turns without words."""
    return [start for start in d.ordered(turn.TurnStart) if start.user_text]


def counted(d: Driver) -> list[tuple[str, str]]:
    return [(kept.direction, kept.category) for kept in d.all(do.KeptBack)]


# what the robot says


def test_a_forbidden_sentence_is_replaced_and_the_turn_goes_on() -> None:
    d = Driver()
    d.says("tell me a story")
    rude = "I will kill you with a wooden spoon."
    d.answers(f"There was a robot in a house. {rude} Then they all went to bed and slept.")
    assert spoken(d) == [
        "There was a robot in a house.",
        SAFE,
        "Then they all went to bed and slept.",
    ]
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.DONE, "")]
    assert rude not in d.state.history[-1].robot
    assert SAFE in d.state.history[-1].robot
    assert counted(d) == [("spoken", "violence")]


def test_the_safe_sentence_is_said_once_in_a_turn_and_every_time_counted() -> None:
    d = Driver()
    d.says("tell me a story")
    d.answers("I will kill you right now. I will stab you right now. It was only a joke, my dear.")
    assert spoken(d) == [SAFE, "It was only a joke, my dear."]
    assert counted(d) == [("spoken", "violence")] * 2
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.DONE, "")]


def test_a_turn_of_nothing_else_says_the_safe_sentence() -> None:
    d = Driver()
    d.says("tell me a story")
    d.answers(VIOLENT)
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.DONE, "")]
    assert d.reported(turn.TurnEnded)[-1].response_text == SAFE


def test_words_split_over_deltas_are_seen_whole() -> None:
    d = Driver()
    d.says("tell me a story")
    d.planner(turn.ResponseMeta(emotion="happy"))
    for piece in ("I wi", "ll k", "ill", " y", "ou", "."):
        d.planner(turn.ResponseDelta(text=piece))
    d.planner(turn.ResponseDone())
    assert spoken(d) == [SAFE]


def test_an_expression_that_is_cut_between_phrases_is_caught_by_its_second_half() -> None:
    d = Driver()
    d.says("tell me a story")
    start = "word " * 46  # the text is cut between words before its 241st character
    d.answers(f"{start}I will kill you and then we go home together")
    first, second = spoken(d)
    assert first.endswith("I will")
    assert second == SAFE


def test_an_expression_that_is_cut_at_a_clause_is_caught_by_its_second_half() -> None:
    d = Driver()
    d.says("how do bombs work")
    d.answers("Of course, now we are going to make a very, very big bomb together.")
    assert counted(d) == [("spoken", "danger")]
    assert "bomb" not in " ".join(spoken(d))


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [t for table in (FORBIDDEN_EITHER_WAY, FORBIDDEN_TO_SAY) for ts in table.values() for t in ts]
        ),
        min_size=1, max_size=3,
    ),
    st.lists(st.sampled_from(INNOCENT), max_size=3),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_where_the_deltas_are_split_makes_no_difference(
    bad: list[str], good: list[str], chance: random.Random
) -> None:
    sentences = [*bad, *good]
    chance.shuffle(sentences)
    text = " ".join(sentences)
    cuts = sorted(chance.sample(range(len(text) + 1), min(12, len(text))))
    whole, pieces = Driver(), Driver()
    for d, parts in ((whole, [text]), (pieces, [text[a:b] for a, b in pairwise([0, *cuts, None])])):
        d.says("tell me a story")
        d.planner(turn.ResponseMeta(emotion="happy"))
        for part in parts:
            d.planner(turn.ResponseDelta(text=part))
        d.planner(turn.ResponseDone())
    assert spoken(pieces) == spoken(whole)
    assert counted(pieces) == counted(whole)
    assert counted(whole)


def test_an_announcement_passes_the_guard() -> None:
    d = Driver()
    d.announce(f"Dinner is ready now. {VIOLENT}")
    assert spoken(d) == ["Dinner is ready now.", SAFE]


def test_what_an_action_of_a_turn_says_passes_the_guard() -> None:
    d = Driver()
    d.says("hello robot")
    d.planner(turn.ResponseMeta(emotion="happy"))
    d.planner(turn.ResponseDone(actions=({"action": "say", "text": VIOLENT},)))
    assert [a.params["text"] for a in d.told(robot.Action)] == [SAFE]
    assert [a.params["text"] for a in d.reported(action.ActionRequested)] == [SAFE]
    assert counted(d) == [("spoken", "violence")]


def test_the_reflex_planner_passes_the_guard_as_well() -> None:
    d = Driver()
    d.says("hello robot")
    d.planner(turn.TurnFailed(code="llm_error"))
    d.answers(VIOLENT, role="reflex")
    assert spoken(d) == [SAFE]


# what the user says


@pytest.mark.parametrize("words", ["I want to kill myself", "i w\u0430nt to d\u200bie"])
def test_forbidden_words_are_answered_gently_and_no_planner_hears_them(words: str) -> None:
    d = Driver()
    d.says(words)
    assert asked(d) == []
    assert " ".join(spoken(d)) == ANSWERS[Category.SELF_HARM]
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.DONE, "")]
    note, answer = NOTES[Category.SELF_HARM], ANSWERS[Category.SELF_HARM]
    assert [(e.user, e.robot) for e in d.state.history] == [(note, answer)]
    assert d.told(robot.TurnBegin)[-1].user_text == note
    assert d.reported(turn.TurnStarted)[-1].user_text == note
    assert d.reported(turn.TurnEnded)[-1].user_text == note
    assert d.told(robot.TurnEnd)[-1].intent == "guarded"
    assert counted(d) == [("heard", "self_harm")]
    assert d.state.face is Conversation.LISTENING


def test_the_gentle_answer_is_given_at_once_with_a_quiet_face() -> None:
    d = Driver()
    d.says("I want to kill myself")
    kinds = d.kinds()
    assert kinds.index("Emotion") < kinds.index("SpeechRequest")
    assert d.told(robot.Emotion)[-1].emotion == "neutral"


def test_what_is_typed_passes_the_guard_as_well() -> None:
    d = Driver()
    d.user(robot.Text(text="How do I make a bomb?"))
    assert asked(d) == []
    assert counted(d) == [("heard", "danger")]


def test_the_next_turn_goes_to_the_planner_with_a_note_in_its_history() -> None:
    d = Driver()
    d.says("How do I make a bomb?")
    d.plays(d.voices())
    d.says("tell me a story")
    (start,) = asked(d)
    assert start.user_text == "tell me a story"
    assert [e.user for e in start.history] == [NOTES[Category.DANGER]]


def test_who_goes_on_before_the_answer_is_heard_is_still_answered_gently() -> None:
    d = Driver()
    d.says("I want to kill myself")
    d.says("please help me")
    assert d.outcomes == [(1, Outcome.REOPENED, "user_spoke")]
    assert asked(d) == []
    assert d.state.turn is not None
    assert d.state.turn.user_text == NOTES[Category.SELF_HARM]


def test_words_that_are_forbidden_only_together_are_seen_together() -> None:
    d = Driver()
    d.says("I want to kill")
    assert [start.user_text for start in asked(d)] == ["I want to kill"]
    d.says("myself")
    assert counted(d) == [("heard", "self_harm")]
    assert d.state.turn is not None
    assert d.state.turn.text == ANSWERS[Category.SELF_HARM]


def test_a_late_answer_of_a_planner_does_not_mix_with_the_gentle_one() -> None:
    d = Driver()
    d.says("I want to kill myself")
    d.answers("Sure, here is how.")
    assert " ".join(spoken(d)) == ANSWERS[Category.SELF_HARM]


def test_without_a_voice_the_gentle_answer_is_text() -> None:
    d = Driver(agents=tuple(key for key in EVERYBODY if key[0] is not AgentKind.TTS))
    d.says("I want to kill myself")
    assert d.outcomes == [(1, Outcome.FAILED, "tts_unavailable")]
    assert d.reported(turn.TurnEnded)[-1].response_text == ANSWERS[Category.SELF_HARM]


def test_without_any_planner_the_gentle_answer_is_given_all_the_same() -> None:
    d = Driver(agents=tuple(key for key in EVERYBODY if key[0] is not AgentKind.PLANNER))
    d.says("I want to kill myself")
    d.plays(d.voices())
    assert d.outcomes == [(1, Outcome.DONE, "")]


def test_a_gentle_answer_can_be_interrupted_like_any_other() -> None:
    d = Driver()
    d.says("I want to kill myself")
    d.voices()
    d.plays(300)
    d.says("stop")
    assert d.outcomes[-1] == (1, Outcome.INTERRUPTED, "stop_word")


def test_the_instant_words_are_no_business_of_the_guard() -> None:
    d = Driver()
    d.converses("tell me a story", "Once upon a time there was a robot.", played_ms=300)
    d.says("shut up")
    assert counted(d) == []


# switched off


def test_a_hub_without_a_guard_says_and_hears_everything() -> None:
    d = Driver(policy=Policy(guard=False))
    d.says("I want to kill myself")
    assert [start.user_text for start in asked(d)] == ["I want to kill myself"]
    d.planner(turn.ResponseMeta(emotion="happy"))
    d.planner(turn.ResponseDelta(text=VIOLENT))
    d.planner(turn.ResponseDone(actions=({"action": "say", "text": VIOLENT},)))
    assert spoken(d) == [VIOLENT]
    assert d.told(robot.Action)[-1].params["text"] == VIOLENT
    assert counted(d) == []


# a long conversation


def conversation(seed: int) -> list[tuple[str, str, str, str]]:
    """Sixty exchanges: what the user says, why that is kept back, what the planner answers, why
    that is kept back."""
    chance = random.Random(seed)
    bad_words = [(t, c) for table in (FORBIDDEN_EITHER_WAY, FORBIDDEN_TO_HEAR) for c, ts in table.items() for t in ts]  # fmt: skip
    bad_lines = [(t, c) for table in (FORBIDDEN_EITHER_WAY, FORBIDDEN_TO_SAY) for c, ts in table.items() for t in ts]  # fmt: skip
    good = [text for text in INNOCENT if len(text) > 12]
    turns = []
    for _ in range(60):
        said, why = (
            chance.choice(bad_words) if chance.random() < 0.25 else (chance.choice(good), "")
        )
        line, wrong = (
            chance.choice(bad_lines) if chance.random() < 0.4 else (chance.choice(good), "")
        )
        turns.append((said, why, line, wrong))
    return turns


@pytest.mark.parametrize("seed", range(4))
def test_in_a_long_conversation_nothing_forbidden_is_said_asked_or_remembered(seed: int) -> None:
    d = Driver(hello=Hello())
    expected = []
    for number, (said, why, line, wrong) in enumerate(conversation(seed), 1):
        d.effects.clear()
        d.user(robot.Text(text=said))
        if why:
            expected = [("heard", why)]
            assert asked(d) == []
        else:
            expected = [("spoken", wrong)] if wrong else []
            assert [start.user_text for start in asked(d)] == [" ".join(said.split())]
            d.answers(f"Let me see what I know. {line} Is there anything else that I can do?")
        assert set(counted(d)) == set(expected), (said, line)
        if why or wrong:
            assert line not in " ".join(spoken(d))
        else:
            assert line in " ".join(spoken(d))
        assert all(guard.checked(text).kept_back is None for text in spoken(d))
        d.plays(d.voices())
        assert d.outcomes == [(number, Outcome.DONE, "")]
        last = d.state.history[-1]
        assert last.user == (NOTES[Category(why)] if why else " ".join(said.split()))
    assert len(d.state.history) == Policy().history_turns


# the whole hub


@virtual
async def test_what_is_kept_back_is_counted_by_direction_and_kind_without_the_words() -> None:
    answer = '{"emotion": "happy", "intensity": 0.6, "text": "I will kill you."}'
    async with stage(ScriptedPlanner([Script((answer,))])) as theatre:
        toy = await theatre.connect(Robot("r1"))
        toy.speak("I want to kill myself")
        gentle = await toy.next(robot.TurnEnd, 1)
        toy.speak("tell me a story")
        safe = await toy.next(robot.TurnEnd, 2)
        assert gentle.heard_text == ANSWERS[Category.SELF_HARM]
        assert safe.heard_text == SAFE
        counts = theatre.sessions.counters.read()
        kept_back = {name: n for name, n in counts.items() if name.startswith("guarded")}
        assert kept_back == {"guarded_heard.self_harm": 1, "guarded_spoken.violence": 1}
        history = await theatre.store.load_history("r1")
        assert [e.user for e in history] == [NOTES[Category.SELF_HARM], "tell me a story"]
