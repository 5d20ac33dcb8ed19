"""What robots say by themselves: now, when they are free, or not at this hour."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.session import effects as do
from hub.session import events as on
from hub.session.announcing import MOST_WAITING
from hub.session.character import Character
from protocols.messages import robot, speech
from protocols.messages.agent import AgentKind
from protocols.messages.turn import Outcome, Priority
from tests.hub.session.driver import Driver

QUIET = Character(quiet=True)


def settled(d: Driver) -> dict[int, str]:
    return {each.request: str(each.outcome) for each in d.all(do.Settle)}


def announce(
    d: Driver, request: int, text: str = "Lunch is ready.", priority: Priority = Priority.PLAN,
    *, free: bool = True, asked: bool = False, ttl_ms: int = 60_000, interruptible: bool = True,
) -> None:  # fmt: skip
    d.feed(
        on.Announce(
            text, priority, interruptible=interruptible, request=request, when_free=free,
            ttl_ms=ttl_ms, asked=asked,
        )
    )  # fmt: skip


def finish(d: Driver) -> None:
    """The robot says all it has to say."""
    d.plays(d.voices())


def test_a_free_robot_says_at_once_what_could_wait() -> None:
    d = Driver()
    announce(d, 1)
    assert d.state.turn is not None
    finish(d)
    assert settled(d) == {1: "done"}


def test_what_waits_is_said_as_soon_as_the_turn_is_over() -> None:
    d = Driver()
    d.says("tell me a story")
    d.answers("Once upon a time.")
    announce(d, 1)
    assert settled(d) == {}
    finish(d)
    assert [r.text for r in d.ordered(speech.SpeechRequest)] == [
        "Once upon a time.",
        "Lunch is ready.",
    ]
    finish(d)
    assert settled(d) == {1: "done"}
    assert d.outcomes == [(1, Outcome.DONE, ""), (2, Outcome.DONE, "")]


def test_without_waiting_a_busy_robot_says_why_not() -> None:
    d = Driver()
    d.says("tell me a story")
    announce(d, 1, free=False)
    assert settled(d) == {1: "busy_with_user"}


def test_what_waits_does_not_interrupt_a_user_who_goes_on() -> None:
    d = Driver()
    d.converses("tell me a story", "Once upon a time.", played_ms=100)
    announce(d, 1)
    d.starts_to_speak(confirmed=True)
    d.goes_on_speaking()
    assert d.state.turn is None
    d.stops_speaking("and what is your name")
    assert d.state.turn is not None
    assert d.state.turn.user_text == "and what is your name"
    d.answers("Milo.")
    finish(d)
    finish(d)
    assert settled(d) == {1: "done"}


def test_what_waits_too_long_is_told_so() -> None:
    d = Driver()
    d.says("tell me a story")
    announce(d, 1, ttl_ms=1_000)
    announce(d, 2, ttl_ms=100_000)
    d.wait(1_000)
    assert settled(d) == {1: "expired"}


def test_a_queue_that_is_full_takes_no_more() -> None:
    d = Driver()
    d.says("tell me a story")
    for number in range(1, MOST_WAITING + 2):
        announce(d, number)
    assert settled(d) == {MOST_WAITING + 1: "queue_full"}


def test_the_highest_claim_goes_first_then_the_oldest() -> None:
    d = Driver()
    d.says("hello")
    d.answers("Hi.")
    announce(d, 1, "one", Priority.AMBIENT)
    announce(d, 2, "two", Priority.PLAN)
    announce(d, 3, "three", Priority.PLAN)
    for _ in range(4):
        finish(d)
    assert [r.text for r in d.ordered(speech.SpeechRequest)] == ["Hi.", "two", "three", "one"]


def test_what_waits_behind_a_mere_gesture_is_said_next() -> None:
    d = Driver()
    d.says("hello")
    d.answers("Hi.")
    announce(d, 1, "")
    announce(d, 2)
    finish(d)
    finish(d)
    assert settled(d) == {1: "done", 2: "done"}


def test_a_robot_without_a_voice_is_not_free_to_say_anything() -> None:
    d = Driver()
    assert d.state.is_free
    d.feed(on.AgentDown(AgentKind.TTS, "primary"))
    assert not d.state.is_free


def test_the_end_of_a_session_ends_what_waits() -> None:
    d = Driver()
    d.says("tell me a story")
    announce(d, 1)
    d.feed(on.Disconnected("gone", 1000))
    assert settled(d) == {1: "disconnected"}
    assert d.state.due_ns is None


def test_another_session_of_the_robot_ends_what_waits() -> None:
    d = Driver()
    d.says("tell me a story")
    announce(d, 1)
    d.feed(on.Connected(2, "sess-2", robot.Hello()))
    assert settled(d) == {1: "disconnected"}


def test_what_waits_for_a_voice_is_said_once_it_is_there() -> None:
    d = Driver()
    d.feed(on.AgentDown(AgentKind.TTS, "primary"))
    announce(d, 1)
    assert settled(d) == {}
    d.feed(on.AgentUp(AgentKind.TTS, "primary"))
    finish(d)
    assert settled(d) == {1: "done"}


@pytest.mark.parametrize(
    ("priority", "asked", "outcome"),
    [
        (Priority.AMBIENT, False, "quiet_hours"),
        (Priority.PLAN, False, "quiet_hours"),
        (Priority.PLAN, True, "done"),
        (Priority.USER, False, "done"),
        (Priority.SAFETY, False, "done"),
    ],
)
@pytest.mark.parametrize("free", [False, True])
def test_in_quiet_hours_only_what_is_urgent_or_was_asked_for_is_said(
    priority: Priority, asked: bool, outcome: str, free: bool
) -> None:
    d = Driver()
    d.feed(on.Characterised(QUIET))
    announce(d, 1, priority=priority, asked=asked, free=free)
    if d.state.turn:
        finish(d)
    assert settled(d) == {1: outcome}


def test_in_quiet_hours_the_user_is_answered() -> None:
    d = Driver()
    d.feed(on.Characterised(QUIET))
    d.says("hello robot")
    d.answers("Hi.")
    finish(d)
    assert d.outcomes == [(1, Outcome.DONE, "")]


def test_what_waits_is_not_said_once_quiet_hours_have_begun() -> None:
    d = Driver()
    d.says("hello robot")
    announce(d, 1)
    d.feed(on.Characterised(QUIET))
    d.answers("Hi.")
    finish(d)
    assert settled(d) == {1: "quiet_hours"}
    assert d.state.turn is None


def test_what_must_not_be_interrupted_lets_the_user_wait_and_yields_to_safety() -> None:
    d = Driver()
    announce(d, 1, "The stove is on.", interruptible=False)
    d.plays(min(100, d.voices()))
    d.says("what did you say")
    assert settled(d) == {}
    announce(d, 2, "Fire!", Priority.SAFETY, free=False)
    assert settled(d) == {1: "superseded"}


class Crowd:
    """What may happen around a robot that is to say something."""

    def __init__(self) -> None:
        self.d, self.asked, self.epoch = Driver(), 0, 1

    def say(self) -> None:
        self.asked += 1
        announce(self.d, self.asked, ttl_ms=5_000)

    def user(self) -> None:
        if self.d.state.connected:
            self.d.says("hello robot")

    def finish(self) -> None:
        d = self.d
        if d.state.turn and not d.state.turn.text_done:
            d.answers("Hi.")
        if d.state.turn and d.state.connected:
            finish(d)

    def wait(self) -> None:
        self.d.wait(3_000)

    def leave(self) -> None:
        self.d.feed(on.Disconnected("gone", 1000))

    def come(self) -> None:
        self.epoch += 1
        self.d.feed(on.Connected(self.epoch, f"sess-{self.epoch}", robot.Hello()))

    def fall_quiet(self) -> None:
        self.d.feed(on.Characterised(QUIET))


MOVES = (
    Crowd.say, Crowd.user, Crowd.finish, Crowd.wait, Crowd.leave, Crowd.come, Crowd.fall_quiet,
)  # fmt: skip


@given(st.lists(st.sampled_from(MOVES), max_size=30))
def test_every_announcement_has_exactly_one_fate(moves: list[Callable[[Crowd], None]]) -> None:
    crowd = Crowd()
    for move in moves:
        move(crowd)
    crowd.d.wait(600_000)
    fates = [each.request for each in crowd.d.all(do.Settle)]
    assert sorted(fates) == list(range(1, crowd.asked + 1))
    assert not crowd.d.state.waiting
