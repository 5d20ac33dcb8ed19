"""The supervisor: what the hub says reaches the right part, and the hub is told what it must be."""

from dataclasses import dataclass, field

from protocols.messages.face import Conversation
from protocols.messages.robot import (
    Action,
    ActionResult,
    Capabilities,
    Emotion,
    Face,
    Flush,
    Flushed,
    FromRobot,
    Gestures,
    Played,
    SpeechFrame,
    Welcome,
    World,
)
from protocols.plan import WorldState
from robot_sim.actions import Begun
from robot_sim.events import GestureBegan, Happening
from robot_sim.speaker import Speaker
from robot_sim.supervisor import Supervisor

MS = 1_000_000


@dataclass
class Rig:
    """A supervisor with a clock, and what it told."""

    now_ms: int = 0
    noticed: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor("r1", Capabilities(), Speaker(16_000, 0), self.noticed.append)

    def tell(self, message: object) -> list[FromRobot]:
        return self.supervisor.on_message(message, self.now_ms * MS)  # type: ignore[arg-type]

    def speech(self, turn: int, ms: int = 500) -> None:
        header = SpeechFrame(epoch=1, turn=turn, first_sample=0, samples=ms * 16, energy=77)
        self.supervisor.on_speech(header, bytes(ms * 32), self.now_ms * MS)

    def wait(self, ms: int) -> list[FromRobot]:
        sent: list[FromRobot] = []
        for _ in range(0, ms, 20):
            self.now_ms += 20
            sent += self.supervisor.advance(self.now_ms * MS)
        return sent


def welcome(hub_id: str = "h", *, epoch: int = 1, resumed: bool = False) -> Welcome:
    return Welcome(
        session="s", epoch=epoch, resumed=resumed, resume="t", hub_id=hub_id, boot=1, order=1,
        lead_ms=1,
    )  # fmt: skip


def test_the_world_is_told_on_the_welcome_and_every_second_while_linked() -> None:
    rig = Rig()
    assert rig.wait(3000) == []
    [world] = rig.tell(welcome())
    assert isinstance(world, World)
    state = WorldState.model_validate(world.world)
    assert (state.robot_id, state.seq, state.ball_detected) == ("r1", 1, False)
    assert len(rig.wait(2100)) == 2
    rig.supervisor.unlinked()
    assert rig.wait(2100) == []


def test_the_face_shows_mood_state_gestures_and_the_energy_of_the_voice() -> None:
    rig = Rig()
    face = rig.supervisor.face
    rig.tell(Emotion(turn=1, emotion="happy", intensity=0.8))
    rig.tell(Face(conversation=Conversation.SPEAKING))
    rig.tell(Gestures(turn=1, names=("nod", "spin")))
    rig.speech(1)
    rig.wait(40)
    assert (face.emotion, face.conversation, face.energy) == ("happy", "speaking", 77)
    assert set(rig.noticed) >= {GestureBegan("nod"), GestureBegan("spin")}
    rig.wait(1000)
    assert not face.talking


def test_that_the_robot_was_called_stands_in_its_world() -> None:
    rig = Rig()
    rig.tell(welcome())
    rig.tell(Face(conversation=Conversation.ATTENTION))
    rig.tell(Face(conversation=Conversation.LISTENING))
    [*_, world] = rig.wait(1_100)
    assert isinstance(world, World)
    assert WorldState.model_validate(world.world).recent_events == ["attention.wake"]


def test_a_flush_silences_the_voice_gives_up_actions_and_is_answered_last() -> None:
    rig = Rig()
    rig.speech(3)
    rig.wait(100)
    for name in ("a", "b"):
        rig.tell(Action(id=name, epoch=1, turn=3, action="skill", name="patrol_drift"))
    played, given_up, flushed = rig.tell(Flush(epoch=1, turn=3))
    assert played == Played(epoch=1, turn=3, samples=1600)
    assert given_up == ActionResult(id="b", ok=False, detail="flushed")
    assert flushed == Flushed(epoch=1, turn=3, samples=1600)
    assert [what.action.id for what in rig.noticed if isinstance(what, Begun)] == ["a"]


def test_another_hub_is_not_held_to_the_numbers_of_the_first() -> None:
    rig = Rig()
    rig.tell(welcome("one"))
    rig.tell(Flush(epoch=9, turn=50))
    rig.tell(welcome("one"))
    rig.speech(1)
    assert rig.supervisor.speaker.counters["fenced"] == 1
    rig.tell(welcome("other"))
    rig.speech(1)
    rig.wait(100)
    assert rig.supervisor.speaker.samples_played(1) == 1600


def test_a_resumed_link_is_told_where_the_voice_is() -> None:
    rig = Rig()
    rig.speech(4)
    rig.wait(100)
    again = welcome(epoch=2, resumed=True)
    assert rig.tell(again)[1:] == [Played(epoch=2, turn=4, samples=1600)]


def test_a_welcome_to_another_session_silences_what_was_still_to_be_said() -> None:
    rig = Rig()
    rig.tell(welcome())
    rig.speech(4)
    rig.wait(100)
    assert rig.tell(welcome(epoch=2))[1:] == []
    rig.wait(500)
    assert rig.supervisor.speaker.samples_played(4) == 1600


def test_an_emote_with_a_wild_intensity_is_clamped() -> None:
    rig = Rig()
    for number, intensity in enumerate((7, -1, "much")):
        action = Action(
            id=str(number), epoch=1, turn=1, action="emote", name="sad",
            params={"intensity": intensity},
        )  # fmt: skip
        rig.tell(action)
        assert rig.supervisor.face.intensity == (1.0, 0.0, 0.5)[number]
