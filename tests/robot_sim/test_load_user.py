"""The users of a fleet, in a time of their own."""

from collections import Counter

import pytest

from protocols.marks import MarkKind, find_marks
from robot_sim.load.user import CHUNK_MS, Habits, Saying, User

STEP_NS = CHUNK_MS * 1_000_000
ANSWER_NS = 1_500_000_000
LATENCY_NS = 40_000_000


class Life:
    """A user whose every question is answered, after a moment and for a while."""

    def __init__(self, habits: Habits, seed: str = "1", *, answers: bool = True) -> None:
        self.user = User("r1", habits, seed, 0)
        self.now_ns = 0
        self.said: Counter[Saying] = Counter()
        self.chunks: list[bytes] = []
        self.speaking = 0
        self._answers = answers
        self._answer_ns = self._over_ns = 0

    def live(self, seconds: float) -> None:
        for _ in range(int(seconds * 1000 / CHUNK_MS)):
            self.now_ns += STEP_NS
            self._answer()
            chunk, saying = self.user.next_chunk(self.now_ns)
            self.chunks.append(chunk)
            self.speaking += self.user.speaks or saying is Saying.ENDED
            if saying is not None:
                self.said[saying] += 1
            if saying is Saying.ENDED and self._answers:
                self._answer_ns = self.now_ns + LATENCY_NS

    def _answer(self) -> None:
        if 0 < self._answer_ns <= self.now_ns:
            self._answer_ns, self._over_ns = 0, self.now_ns + ANSWER_NS
            self.user.answer_began(self.now_ns)
        if 0 < self._over_ns <= self.now_ns:
            self._over_ns = 0
            self.user.answer_over(self.now_ns)


@pytest.mark.parametrize("talk", [0.15, 0.3, 0.5])
def test_a_user_speaks_the_share_of_the_time_that_was_asked_for(talk: float) -> None:
    life = Life(Habits(talk=talk))

    life.live(600)

    assert life.speaking / (600 * 1000 / CHUNK_MS) == pytest.approx(talk, abs=0.03)


def test_some_answers_are_barged_into_and_some_are_cancelled() -> None:
    life = Life(Habits(talk=0.4, barges=0.15, cancels=0.05))

    life.live(3000)

    questions = life.said[Saying.ENDED]
    assert 0.10 < life.said[Saying.BARGED] / questions < 0.20
    assert 0.02 < life.said[Saying.PRESSED_STOP] / questions < 0.08


def test_every_utterance_begins_and_ends_with_a_mark_and_names_its_robot() -> None:
    life = Life(Habits())

    life.live(120)

    marks = find_marks(b"".join(life.chunks))
    assert [mark.kind for mark in marks[:4]] == [MarkKind.START, MarkKind.STOP] * 2
    texts = [mark.text for mark in marks if mark.kind is MarkKind.START]
    assert [text.split()[:2] for text in texts[:3]] == [["r1", "1"], ["r1", "2"], ["r1", "3"]]


def test_a_seed_says_the_same_again_and_another_something_else() -> None:
    lives = [Life(Habits(), seed) for seed in ("1", "1", "2")]
    for life in lives:
        life.live(60)

    assert lives[0].chunks == lives[1].chunks
    assert lives[0].chunks != lives[2].chunks


def test_a_user_without_an_answer_gives_up_and_asks_again() -> None:
    life = Life(Habits(talk=0.3, patience_s=2.0), answers=False)

    life.live(60)

    assert life.said[Saying.GAVE_UP] >= 5
    assert life.said[Saying.BEGAN] > life.said[Saying.GAVE_UP]


def test_a_user_who_leaves_asks_one_last_thing_and_hears_it_out() -> None:
    life = Life(Habits())
    life.live(30)
    asked = life.said[Saying.BEGAN] + life.said[Saying.BARGED]

    life.user.leave(life.now_ns)
    life.live(30)

    assert life.user.gone
    assert life.said[Saying.BEGAN] + life.said[Saying.BARGED] <= asked + 2
    assert life.said[Saying.ENDED] == life.said[Saying.BEGAN] + life.said[Saying.BARGED]


def test_what_was_being_said_when_the_connection_broke_is_said_anew() -> None:
    life = Life(Habits())
    while not life.user.speaks:
        life.live(0.02)

    life.user.disconnected(life.now_ns)
    first, saying = life.user.next_chunk(life.now_ns)

    assert saying is Saying.BEGAN
    (mark,) = find_marks(first)
    assert mark.text.split()[1] == "2"
