"""A light robot: what it tells its hub, and what it holds against it."""

from typing import TypeVar

import pytest

from protocols.codecs.robot import decode_from_robot, decode_media, encode_media, encode_text
from protocols.messages.robot import (
    Flush,
    Flushed,
    Hello,
    Hold,
    MicFrame,
    Ping,
    Played,
    Playing,
    Pong,
    SpeechEnd,
    SpeechFrame,
    ToRobot,
    TurnBegin,
    TurnEnd,
    Welcome,
)
from protocols.messages.turn import Outcome, Segment
from robot_sim.load.robot import LightRobot
from robot_sim.load.tally import Tally
from robot_sim.load.user import Habits, User

T = TypeVar("T")
MS = 1_000_000
WELCOME = Welcome(
    session="s", epoch=5, resumed=False, resume="token", hub_id="h", boot=1, order=0, lead_ms=300
)
LEAD_FRAMES = 15


class Wire:
    """A light robot and its hub, in a time of their own."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.user = User("r1", Habits(barges=0, cancels=0), "1", 0)
        self.robot = LightRobot("r1", self.user, self.tally)
        self.now_ns = 0
        self.sent: list[str | bytes] = []
        self.connect(WELCOME)

    def connect(self, welcome: Welcome) -> None:
        self.robot.connected(self.sent.append, self.now_ns)
        self.tell(welcome)

    def tell(self, *messages: ToRobot) -> None:
        for message in messages:
            self.robot.on_text(encode_text(message), self.now_ns)

    def speak(self, turn: int, first_frame: int, frames: int = 1, epoch: int = 5) -> None:
        for number in range(first_frame, first_frame + frames):
            header = SpeechFrame(epoch=epoch, turn=turn, first_sample=320 * number, samples=320)
            self.robot.on_media(encode_media(header, bytes(640)), self.now_ns)

    def live(self, ms: int) -> None:
        for _ in range(0, ms, 20):
            self.now_ns += 20 * MS
            self.robot.tick(self.now_ns)

    def ask(self) -> str:
        """Live until a question was asked; return it."""
        while not self.user.waits:
            self.live(20)
        return self.user.question

    def told(self, kind: type[T]) -> list[T]:
        messages = (decode_from_robot(frame) for frame in self.sent if isinstance(frame, str))
        return [message for message in messages if isinstance(message, kind)]

    def rules_broken(self) -> list[str]:
        return [breach.rule for breach in self.tally.breaches]


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_it_sends_20_ms_of_microphone_every_20_ms(wire: Wire) -> None:
    wire.live(200)

    frames = [decode_media(frame) for frame in wire.sent if isinstance(frame, bytes)]
    firsts = [head.first_sample for head, _ in frames if isinstance(head, MicFrame)]
    assert firsts == [320 * number for number in range(10)]
    assert {len(pcm) for _, pcm in frames} == {640}


def test_an_answer_is_timed_acknowledged_and_counted(wire: Wire) -> None:
    question = wire.ask()
    wire.tell(TurnBegin(turn=1, user_text=question))
    wire.now_ns += 7 * MS
    wire.speak(1, 0, LEAD_FRAMES)
    wire.tell(SpeechEnd(turn=1, samples=320 * LEAD_FRAMES))
    wire.live(400)
    end = TurnEnd(turn=1, outcome=Outcome.DONE, segments=(Segment("endpointing", 1.5),))
    wire.tell(end)

    assert wire.tally.times_ms["end_of_speech_to_first_audio"] == [7.0]
    assert wire.tally.times_ms["segment.endpointing"] == [1.5]
    assert wire.tally.outcomes == {"done": 1}
    assert wire.tally.counts["answered"] == wire.tally.counts["asked"] == 1
    assert wire.told(Played)[-1].samples == 320 * LEAD_FRAMES
    assert wire.rules_broken() == []


def test_it_does_as_it_is_told(wire: Wire) -> None:
    wire.speak(1, 0, LEAD_FRAMES)
    wire.live(100)
    wire.tell(Ping(t0_ns=3), Hold(turn=1))
    wire.live(100)
    wire.tell(Flush(epoch=5, turn=1))

    assert wire.told(Pong) == [Pong(t0_ns=3, t1_ns=100 * MS, t2_ns=100 * MS)]
    assert wire.told(Played)[-1].samples == 1600
    assert wire.told(Flushed) == [Flushed(epoch=5, turn=1, samples=1600)]


def test_speech_of_a_flushed_turn_is_held_against_the_hub(wire: Wire) -> None:
    wire.speak(1, 0)
    wire.tell(Flush(epoch=5, turn=1))
    wire.speak(1, 1)

    assert wire.rules_broken() == ["fenced"]


def test_speech_of_another_connection_is_held_against_the_hub(wire: Wire) -> None:
    wire.speak(1, 0, epoch=4)

    assert wire.rules_broken() == ["foreign"]


def test_another_robot_s_words_are_held_against_the_hub(wire: Wire) -> None:
    wire.tell(TurnBegin(turn=1, user_text="r10 1 a story"))
    wire.tell(TurnEnd(turn=1, outcome=Outcome.DONE, response_text="r10 1 a story."))

    assert wire.rules_broken() == ["foreign", "foreign"]


def test_what_a_restarted_hub_says_to_the_end_is_the_robot_s_own(wire: Wire) -> None:
    story = "Once upon a time there was a robot."
    wire.tell(TurnBegin(turn=1, user_text="r1 1 a story"))
    wire.tell(TurnEnd(turn=1, outcome=Outcome.CANCELLED, code="hub_restarted", response_text=story))
    wire.tell(TurnBegin(turn=257))
    wire.tell(TurnEnd(turn=257, outcome=Outcome.DONE, response_text="there was a robot."))

    assert wire.rules_broken() == []


@pytest.mark.parametrize("frames", [(0, 2), (0, 1, 1)], ids=["left out", "twice"])
def test_speech_out_of_order_is_held_against_the_hub(wire: Wire, frames: tuple[int, ...]) -> None:
    for number in frames:
        wire.speak(1, number)

    assert wire.rules_broken() == ["order"]


def test_speech_far_ahead_of_the_lead_is_held_against_the_hub(wire: Wire) -> None:
    wire.speak(1, 0, LEAD_FRAMES + 5)
    assert wire.rules_broken() == []

    wire.speak(1, LEAD_FRAMES + 5)

    assert wire.rules_broken() == ["ahead"]


def test_a_robot_that_was_itself_behind_time_blames_nobody(wire: Wire) -> None:
    wire.live(20)
    wire.now_ns += 320 * MS

    wire.speak(1, 0, LEAD_FRAMES + 15)

    assert wire.rules_broken() == []


def test_a_missing_control_message_is_held_against_the_hub(wire: Wire) -> None:
    wire.tell(TurnBegin(turn=1, order=1), TurnBegin(turn=2, order=3))

    assert wire.rules_broken() == ["order"]


def test_it_comes_back_with_what_it_saw_last_and_where_its_loudspeaker_stands(wire: Wire) -> None:
    wire.tell(TurnBegin(turn=1, order=1))
    wire.speak(1, 0, LEAD_FRAMES)
    wire.live(100)
    wire.robot.disconnected(wire.now_ns)
    wire.live(100)
    resumed = Welcome(
        session="s", epoch=6, resumed=True, resume="next", hub_id="h", boot=1, order=9, lead_ms=300
    )
    wire.connect(resumed)

    hello = wire.told(Hello)[-1]
    assert (hello.resume, hello.boot, hello.order) == ("token", 1, 1)
    assert hello.playing == Playing(turn=1, samples=3200, received=4800)


def test_what_it_missed_may_have_holes_and_what_follows_may_not(wire: Wire) -> None:
    resumed = Welcome(
        session="s", epoch=6, resumed=True, resume="next", hub_id="h", boot=1, order=9, lead_ms=300
    )
    wire.robot.disconnected(wire.now_ns)
    wire.connect(resumed)

    wire.tell(TurnBegin(turn=1, order=4), TurnBegin(turn=2, order=10))
    assert wire.rules_broken() == []
    wire.tell(TurnBegin(turn=3, order=12))
    assert wire.rules_broken() == ["order"]


def test_after_a_cut_speech_goes_on_and_what_comes_twice_is_no_offence(wire: Wire) -> None:
    wire.speak(1, 0, LEAD_FRAMES)
    wire.robot.disconnected(wire.now_ns)
    resumed = Welcome(
        session="s", epoch=6, resumed=True, resume="next", hub_id="h", boot=1, order=0, lead_ms=300
    )
    wire.connect(resumed)

    wire.speak(1, LEAD_FRAMES - 1, 2, epoch=6)

    assert wire.rules_broken() == []
    assert wire.robot.first_speech is not None
    assert wire.robot.first_speech.header.first_sample == 320 * (LEAD_FRAMES - 1)
