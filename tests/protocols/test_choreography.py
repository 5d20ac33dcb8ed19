"""How a face changes: the times of its moods, eyes and gestures."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.choreography import ATTENTIVE_MS, Choreography, Mood, Move
from protocols.messages.face import Conversation
from protocols.vocabulary import EMOTIONS

MS = 1_000_000
MOOD_BLINK, BLINK, NOD = Move("blink", 100), Move("blink", 180), Move("nod", 350)


class Stage:
    """A face and its clock, in milliseconds."""

    def __init__(self, **options: object) -> None:
        self.face = Choreography(0, **options)  # type: ignore[arg-type]
        self.now = 0
        self.moves: list[tuple[int, Move]] = []

    def feel(self, emotion: str, intensity: float = 0.8) -> "Stage":
        self.face.feel(emotion, intensity, self.now * MS)
        return self

    def converse(self, state: Conversation) -> "Stage":
        self.face.converse(state, self.now * MS)
        return self

    def at(self, ms: int, step: int = 10) -> "Stage":
        while self.now < ms:
            self.now = min(ms, self.now + step)
            self.moves += [(self.now, move) for move in self.face.advance(self.now * MS)]
        return self

    @property
    def mood(self) -> tuple[str, float]:
        pose = self.face.pose
        return pose.emotion, round(pose.intensity, 2)

    @property
    def gaze(self) -> tuple[float, float]:
        return round(self.face.pose.gaze_x, 2), round(self.face.pose.gaze_y, 2)


@pytest.mark.parametrize(
    ("ms", "mood"),
    [
        (90, ("neutral", 0.5)),  # the blink
        (100, ("neutral", 0.5)),
        (175, ("neutral", 0.25)),  # falling
        (249, ("neutral", 0.0)),
        (250, ("happy", 0.0)),  # another mood
        (350, ("happy", 0.4)),  # rising
        (450, ("happy", 0.8)),
        (2_000, ("happy", 0.8)),
    ],
)
def test_a_mood_gives_way_with_a_blink_and_fades_and_the_next_one_rises(
    ms: int, mood: tuple[str, float]
) -> None:
    stage = Stage().feel("happy").at(ms, step=1)
    assert stage.mood == mood
    assert stage.moves == [(1, MOOD_BLINK)]
    assert stage.face.settled is (ms >= 450)


@pytest.mark.parametrize("step", [1, 10, 20, 70, 1_000])
def test_how_often_the_face_is_drawn_does_not_matter(step: int) -> None:
    assert Stage().feel("happy").at(1_000, step).mood == ("happy", 0.8)


def test_a_mood_that_has_risen_stays_for_half_a_second() -> None:
    stage = Stage().feel("happy").at(460).feel("sad").at(940)
    assert stage.mood == ("happy", 0.8)
    stage.at(950 + 450)
    assert stage.mood == ("sad", 0.8)


def test_of_what_is_felt_in_passing_the_last_counts() -> None:
    stage = Stage().feel("happy").at(50).feel("sad").at(200).feel("curious").at(450)
    assert stage.mood == ("curious", 0.8)
    stage.feel("angry").at(500).feel("sad").at(600).feel("curious")
    assert stage.at(3_000).mood == ("curious", 0.8)
    assert [move for _, move in stage.moves] == [MOOD_BLINK]


def test_who_feels_as_before_after_all_comes_back() -> None:
    stage = Stage().feel("happy").at(200).feel("neutral", 0.5).at(450)
    assert stage.mood == ("neutral", 0.5)


def test_the_same_mood_in_another_strength_only_rises_or_fades() -> None:
    stage = Stage().feel("neutral", 0.9).at(100)
    assert stage.mood == ("neutral", 0.7)
    assert stage.at(200).mood == ("neutral", 0.9)
    assert stage.moves == []


def test_the_eyes_go_where_the_thoughts_are_and_come_back() -> None:
    stage = Stage().converse(Conversation.THINKING).at(150)
    assert stage.gaze == (0.25, -0.15)
    assert stage.at(300).gaze == (0.5, -0.3)
    assert stage.converse(Conversation.SPEAKING).at(450).gaze == (0.25, -0.15)
    assert stage.at(600).gaze == (0.0, 0.0)


def test_a_robot_that_has_understood_blinks_and_nods() -> None:
    stage = Stage().converse(Conversation.LISTENING).at(1_000)
    stage.moves.clear()
    stage.converse(Conversation.THINKING).at(2_000)
    assert stage.moves == [(1_010, BLINK), (1_100, NOD)]


def test_nobody_nods_to_a_thought_that_nobody_said() -> None:
    stage = Stage().converse(Conversation.THINKING).at(1_000)
    assert [move for _, move in stage.moves] == [BLINK]


def test_after_the_end_nothing_begins_for_half_a_second() -> None:
    stage = Stage().converse(Conversation.SPEAKING).at(1_000)
    stage.moves.clear()
    stage.converse(Conversation.DONE).feel("happy").at(1_490)
    assert (stage.moves, stage.mood) == ([], ("neutral", 0.5))
    stage.at(2_000)
    assert stage.moves == [(1_500, MOOD_BLINK)]
    assert stage.mood == ("happy", 0.8)


def test_a_listener_nods_every_few_seconds_and_not_to_an_empty_room() -> None:
    stage = Stage(chance=Random(3).random).converse(Conversation.LISTENING).at(120_000)
    nods = [at for at, move in stage.moves if move == NOD]
    pauses = [later - sooner for sooner, later in pairwise(nods)]
    assert all(3_000 <= pause <= 5_010 for pause in pauses)
    assert 5 <= len(nods) <= 10
    assert nods[-1] <= ATTENTIVE_MS


def test_a_face_that_is_told_the_same_again_does_nothing() -> None:
    stage = Stage().converse(Conversation.LISTENING).at(500)
    stage.moves.clear()
    assert stage.converse(Conversation.LISTENING).feel("neutral", 0.5).at(1_000).moves == []


@pytest.mark.parametrize("state", Conversation)
def test_what_is_felt_is_shown_whatever_the_conversation_is_at(state: Conversation) -> None:
    assert Stage().feel("happy").at(1_000).converse(state).at(3_000).mood == ("happy", 0.8)


events = st.one_of(
    st.tuples(st.sampled_from(EMOTIONS), st.floats(0, 1)), st.sampled_from(Conversation)
)


@given(st.lists(st.tuples(events, st.integers(1, 700)), max_size=40))
def test_a_face_never_jumps_and_arrives(
    story: list[tuple[tuple[str, float] | Conversation, int]],
) -> None:
    stage = Stage()
    felt = Mood("neutral", 0.5)
    last = stage.face.pose
    for event, pause in story:
        if isinstance(event, Conversation):
            stage.converse(event)
        else:
            felt = Mood(*event)
            stage.feel(*event)
        until = stage.now + pause
        while stage.now < until:
            stage.at(min(until, stage.now + 10))
            pose = stage.face.pose
            assert abs(pose.intensity - last.intensity) <= 10 / 150 + 1e-9
            assert pose.emotion == last.emotion or min(pose.intensity, last.intensity) <= 0.1
            assert abs(pose.gaze_x - last.gaze_x) <= 0.5 * 10 / 300 + 1e-9
            last = pose
    stage.converse(Conversation.SPEAKING).at(stage.now + 3_000)
    assert stage.face.settled
    assert Mood(*stage.face.pose[:2]) == felt
