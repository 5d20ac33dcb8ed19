"""The user's side: speaks when there is room, interrupts on time, and is judged by what happened."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from protocols.messages.robot import (
    Duck,
    Flush,
    Played,
    SpeechText,
    Transcript,
    TurnBegin,
    TurnEnd,
    Welcome,
)
from protocols.messages.speech import WordMark
from protocols.messages.turn import Outcome, Segment
from robot_sim.captions import Captions
from robot_sim.conversation import ANSWER_WITHIN_S, IGNORED_FOR_S, Conversation, Now
from robot_sim.events import Event, Happening, Linked
from robot_sim.microphone import Spoken
from robot_sim.scenario import Utterance
from robot_sim.speaker import Cue, Moment
from robot_sim.verdict import Verdict, judge

PCM = np.ones(16, np.int16)
WELCOME = Welcome(
    session="s", epoch=1, resumed=False, resume="t", hub_id="h", boot=1, order=1, lead_ms=300
)
STORY = Utterance("story", PCM, "tell me a story", "story")
BALL = Utterance("ball", PCM, "find the ball", "find_ball", interrupts=2.0)
THANKS = Utterance("thanks", PCM, "thank you", "thanks")
WORDS = tuple(WordMark(f"w{n}", n * 500, n * 500 + 450) for n in range(20))
TEXT = " ".join(word.text for word in WORDS)


@dataclass
class Stage:
    """A conversation, its clock, and a robot that does what the test says."""

    utterances: tuple[Utterance, ...]
    at_s: float = 0.0
    quiet: bool = True
    played: dict[int, float] = field(default_factory=dict)
    captions: Captions = field(default_factory=Captions)

    def __post_init__(self) -> None:
        self.conversation = Conversation(self.utterances, pause_s=0.5)

    @property
    def now(self) -> Now:
        return Now(round(self.at_s * 1e9), self.quiet, lambda turn: self.played.get(turn, 0.0))

    def happen(self, *what: Happening) -> None:
        for one in what:
            self.conversation.observe(Event(self.now.at_ns, one))

    def wait(self, seconds: float) -> None:
        self.at_s += seconds

    def said(self) -> str | None:
        utterance = self.conversation.next(self.now)
        return utterance.label if utterance else None

    def sound(self, turn: int, ms: float, moment: Moment = Moment.GOES_ON) -> None:
        self.played[turn] = ms
        self.happen(Cue(moment, Played(epoch=1, turn=turn, samples=round(ms * 16))))
        self.quiet = moment in (Moment.ENDED, Moment.FLUSHED)

    def hear(self, utterance: int, text: str, turn: int) -> None:
        self.happen(
            Spoken("", began=False),
            Transcript(utterance=utterance, text=text, final=True),
            TurnBegin(turn=turn, user_text=text),
        )

    def end(self, turn: int, intent: str, heard: str = "", outcome: Outcome = Outcome.DONE) -> None:
        segments = (Segment("endpointing", 300.0), Segment("transcript", 100.5))
        self.happen(
            TurnEnd(
                turn=turn, outcome=outcome, heard_text=heard, response_text=TEXT,
                segments=segments, intent=intent,
            )
        )  # fmt: skip

    def verdict(self, max_wer: float = 0.3) -> Verdict:
        ended, c = self.played, self.conversation
        return judge(
            c.exchanges, c.ends, self.captions.answer, lambda t: ended.get(t, 0.0), max_wer
        )


def linked(*utterances: Utterance) -> Stage:
    stage = Stage(utterances)
    stage.happen(Linked(WELCOME))
    stage.wait(1.0)
    return stage


def answer(stage: Stage, utterance: int, turn: int, text: str, intent: str) -> None:
    stage.hear(utterance, text, turn)
    stage.captions.add(SpeechText(turn=turn, phrase=0, text=TEXT, words=WORDS))
    stage.sound(turn, 100, Moment.BEGAN)
    stage.sound(turn, 10_000, Moment.ENDED)
    stage.end(turn, intent, TEXT)


def test_nothing_is_said_before_the_hub_listens() -> None:
    stage = Stage((STORY,))
    stage.wait(100)
    assert stage.said() is None


def test_the_next_thing_is_said_when_the_robot_has_finished_and_after_a_pause() -> None:
    stage = linked(STORY, THANKS)
    assert stage.said() == "story"
    assert stage.said() is None
    answer(stage, 1, 1, "tell me a story", "story")
    stage.wait(0.4)
    assert stage.said() is None
    stage.wait(0.2)
    assert stage.said() == "thanks"


def test_it_is_not_over_while_the_last_answer_sounds() -> None:
    stage = linked(STORY)
    stage.said()
    stage.hear(1, "tell me a story", 1)
    stage.sound(1, 100, Moment.BEGAN)
    stage.wait(5)
    assert not stage.conversation.over(stage.now)
    stage.sound(1, 5000, Moment.ENDED)
    stage.end(1, "story")
    stage.wait(1)
    assert stage.conversation.over(stage.now)


def test_a_robot_that_never_answers_does_not_stop_the_conversation() -> None:
    stage = linked(STORY, THANKS)
    stage.said()
    stage.happen(Spoken("", began=False))
    stage.wait(ANSWER_WITHIN_S - 0.1)
    assert stage.said() is None
    stage.wait(0.2)
    assert stage.said() == "thanks"
    assert stage.verdict().rows[0].outcome == "no answer"


def interrupted() -> Stage:
    stage = linked(STORY, BALL)
    stage.said()
    stage.hear(1, "tell me a story", 1)
    stage.captions.add(SpeechText(turn=1, phrase=0, text=TEXT, words=WORDS))
    stage.sound(1, 100, Moment.BEGAN)
    stage.sound(1, 1990)
    assert stage.said() is None
    stage.sound(1, 2010)
    assert stage.said() == "ball"
    return stage


def test_an_interruption_comes_once_enough_of_the_answer_has_sounded() -> None:
    stage = interrupted()
    stage.happen(Duck(turn=1))
    stage.sound(1, 2450, Moment.HELD)
    stage.happen(Flush(epoch=1, turn=1))
    stage.sound(1, 2450, Moment.FLUSHED)
    stage.end(1, "story", "w0 w1 w2 w3 w4", Outcome.INTERRUPTED)
    answer(stage, 2, 2, "find the ball", "find_ball")
    stage.wait(1)
    assert stage.conversation.over(stage.now)
    verdict = stage.verdict()
    assert verdict.failures == ()
    assert [row.outcome for row in verdict.rows] == ["interrupted", "done"]
    assert verdict.rows[0].latency_ms == pytest.approx(400.5)
    assert verdict.errors == (0, 7)


def test_an_interruption_after_the_user_s_voice_is_no_voice_interruption() -> None:
    stage = interrupted()
    stage.happen(Spoken("", began=False), Duck(turn=1), Flush(epoch=1, turn=1))
    stage.sound(1, 2450, Moment.FLUSHED)
    stage.end(1, "story", "w0 w1 w2 w3 w4", Outcome.INTERRUPTED)
    answer(stage, 2, 2, "find the ball", "find_ball")
    [failure] = stage.verdict().failures
    assert "did not interrupt turn 1 by voice" in failure


def test_an_answer_too_short_to_be_interrupted_is_a_failure_not_a_hang() -> None:
    stage = linked(STORY, BALL)
    stage.said()
    answer(stage, 1, 1, "tell me a story", "story")
    stage.wait(1)
    assert stage.said() == "ball"
    answer(stage, 2, 2, "find the ball", "find_ball")
    assert stage.verdict().failures == ("'find the ball' came too late to interrupt anything",)


def wrong_words(stage: Stage) -> None:
    answer(stage, 1, 1, "sell me a glory", "story")


def wrong_intent(stage: Stage) -> None:
    answer(stage, 1, 1, "tell me a story", "joke")


def unheard_words(stage: Stage) -> None:
    stage.hear(1, "tell me a story", 1)
    stage.captions.add(SpeechText(turn=1, phrase=0, text=TEXT, words=WORDS))
    stage.sound(1, 3000, Moment.ENDED)
    stage.end(1, "story", TEXT)


@pytest.mark.parametrize(
    ("course", "failure"),
    [
        (wrong_words, "word error rate 50.0%, 30% is allowed"),
        (wrong_intent, "is of intent story, taken for joke"),
        (unheard_words, "which is not what was played"),
    ],
)
def test_what_goes_wrong_is_named(course: Callable[[Stage], None], failure: str) -> None:
    stage = linked(STORY)
    stage.said()
    course(stage)
    [found] = stage.verdict().failures
    assert failure in found


def test_an_utterance_in_two_parts_is_understood_as_both() -> None:
    stage = linked(STORY)
    stage.said()
    stage.hear(1, "tell me", 1)
    stage.end(1, "", "", Outcome.REOPENED)
    stage.wait(1)
    assert not stage.conversation.over(stage.now)
    stage.happen(
        Transcript(utterance=2, text="a story", final=True),
        TurnBegin(turn=2, user_text="tell me a story"),
    )
    stage.end(2, "story")
    assert stage.verdict().rows[0].understood == "tell me a story"
    assert stage.verdict().failures == ()


def test_a_turn_that_the_robot_began_is_nobody_s_answer() -> None:
    stage = linked(STORY)
    stage.said()
    stage.happen(TurnBegin(turn=1))
    stage.end(1, "", "", Outcome.SUPERSEDED)
    stage.wait(1)
    assert not stage.conversation.over(stage.now)
    answer(stage, 1, 2, "tell me a story", "story")
    assert stage.verdict().failures == ()


def test_a_typed_line_is_waited_for() -> None:
    stage = linked()
    assert stage.conversation.over(stage.now)
    stage.conversation.typed(stage.now.at_ns)
    stage.wait(1)
    assert not stage.conversation.over(stage.now)
    stage.happen(TurnBegin(turn=1, user_text="hi"))
    stage.end(1, "greeting")
    stage.wait(1)
    assert stage.conversation.over(stage.now)


RADIO = Utterance("radio", PCM, "the weather is nice", ignored=True)


def test_what_is_not_for_the_robot_is_waited_for_and_must_not_be_answered() -> None:
    stage = linked(RADIO, THANKS)
    assert stage.said() == "radio"
    stage.happen(Spoken("radio", began=False))
    stage.wait(IGNORED_FOR_S - 0.1)
    assert stage.said() is None
    stage.wait(0.2)
    assert stage.said() == "thanks"
    answer(stage, 1, 1, "thank you", "thanks")
    verdict = stage.verdict()
    assert verdict.failures == ()
    assert verdict.errors.words == 2


def test_what_is_not_for_the_robot_and_is_answered_is_a_failure() -> None:
    stage = linked(RADIO)
    stage.said()
    answer(stage, 1, 1, "the weather is nice", "weather")
    assert stage.verdict().failures == (
        "'the weather is nice' was not for the robot, and was taken",
    )
