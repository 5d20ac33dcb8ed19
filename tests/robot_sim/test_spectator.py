"""What a watcher of the demo sees: a face on its own microcontroller, what is felt, and the verdict."""

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console
from websockets.asyncio.server import ServerConnection, serve

from protocols.messages.face import Conversation
from protocols.messages.robot import Capabilities, Emotion, Face
from robot_sim.captions import Captions
from robot_sim.errors import BadScenario
from robot_sim.events import Event
from robot_sim.face_drawing import FaceState, sketched
from robot_sim.face_wire import FaceWire
from robot_sim.onlooker import Felt, Onlooker, felt_by
from robot_sim.plugged_face import PluggedFace
from robot_sim.scenario import Outcomes, load
from robot_sim.screen import Screen
from robot_sim.speaker import Speaker
from robot_sim.spectator import Spectator
from robot_sim.supervisor import Supervisor
from robot_sim.verdict import Seen, unmet
from robot_sim.world import World, in_view
from tests.virtual_time import clock_ns, virtual

MS = 1_000_000
STATE = (
    '{"type":"batch","happenings":[],"dropped":0,"states":[{"type":"fact","n":7,"t_ns":1,'
    '"topic":"affect.state","robot":"demo","body":{"type":"affect.state","mood":"love",'
    '"intensity":0.8,"valence":0.7,"arousal":0.1}}]}'
)


class Host:
    """A supervisor whose face is plugged in, in virtual time."""

    def __init__(self) -> None:
        self.face = PluggedFace(clock_ns)
        speaker = Speaker(16_000, clock_ns())
        wire = FaceWire(self.face.write)
        self.supervisor = Supervisor("r1", Capabilities(), speaker, lambda _: None, wire=wire)

    def face_opened(self) -> None:
        self.supervisor.face_opened(clock_ns())

    def face_received(self, data: bytes) -> None:
        self.supervisor.on_face(data, clock_ns())

    def face_closed(self) -> None:
        self.supervisor.face_closed()

    def face_silent(self) -> bool:
        return False

    async def live(self, steps: int) -> None:
        for _ in range(steps):
            self.supervisor.advance(clock_ns())
            await asyncio.sleep(0.02)


@virtual
async def test_a_plugged_face_shows_what_its_host_says() -> None:
    host = Host()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(host.face.run(host))
        await host.live(50)
        told = (
            Emotion(turn=1, emotion="happy", intensity=0.8),
            Face(conversation=Conversation.SPEAKING),
        )
        for message in told:
            host.supervisor.on_message(message, clock_ns())
        await host.live(50)
        running.cancel()
    assert host.face.mcu.version == 2, "the handshake went through"
    assert host.face.shown[:3] == ("happy", 0.8, "speaking")


@pytest.mark.parametrize(
    "frame", ["", "nonsense", "{}", '{"states": 3}', STATE.replace("love", ""), b"\xff"]
)
def test_what_says_nothing_of_feelings_says_nothing(frame: str | bytes) -> None:
    felt = felt_by("demo", frame)
    assert felt is None or felt.mood == ""


def test_a_frame_tells_what_one_robot_feels() -> None:
    assert felt_by("demo", STATE) == Felt("love", 0.8)
    assert felt_by("other", STATE) is None


async def test_an_onlooker_is_told_and_looks_again_after_its_socket_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("robot_sim.onlooker._AGAIN_S", 0.01)
    paths: list[str] = []
    thrice = asyncio.Event()

    async def tell(socket: ServerConnection) -> None:
        assert socket.request is not None
        paths.append(f"{socket.request.path} {socket.request.headers.get('Authorization')}")
        await socket.send(STATE if len(paths) == 1 else STATE.replace("love", "happy"))
        if len(paths) == 3:
            thrice.set()
        await socket.close(1012)

    async with serve(tell, "127.0.0.1", 0) as server, asyncio.TaskGroup() as tasks:
        port = server.sockets[0].getsockname()[1]
        onlooker = Onlooker(f"http://127.0.0.1:{port}", "demo", "secret")
        looking = tasks.create_task(onlooker.run())
        async with asyncio.timeout(10):
            await thrice.wait()
        looking.cancel()
    assert onlooker.felt == Felt("happy", 0.8)
    assert paths[:2] == ["/observe?robot=demo Bearer secret"] * 2


def screen() -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    return Screen(Console(file=out, width=120), Captions(), 16_000), out


def test_a_spectator_remembers_moods_and_the_way_to_the_ball() -> None:
    shown, out = screen()
    face, world = PluggedFace(lambda: 0), World("r1", in_view())
    onlooker = Onlooker("http://h", "demo")
    spectator = Spectator(shown, face, world, onlooker)
    assert spectator.settled, "nobody has told anything yet"
    for mood in ("neutral", "curious", "curious", "love"):
        face.mcu.face.show(mood, 0.7)
        spectator.look(1_000 * MS)
    onlooker.felt = Felt("happy", 0.5)
    assert not spectator.settled
    onlooker.felt = Felt("love", 0.5)
    assert spectator.settled
    seen = spectator.seen
    assert (seen.moods, seen.felt) == (("neutral", "curious", "love"), "love")
    assert seen.ball_mm == pytest.approx(1_208, abs=1)
    assert f"{sketched('love')}  shows love" in out.getvalue()


def test_a_mood_is_said_with_its_reason_once_a_turn_and_whenever_it_changes() -> None:
    shown, out = screen()
    for at, told in enumerate(
        (
            Emotion(turn=1, emotion="happy", intensity=0.7, mood_reason="a joke"),
            Emotion(turn=1, emotion="happy", intensity=0.6, mood_reason="it passes"),
            Emotion(turn=0, emotion="happy", intensity=0.5, mood_reason="it passes"),
            Emotion(turn=0, emotion="curious", intensity=0.5, mood_reason="somebody speaks"),
            Emotion(turn=2, emotion="curious", intensity=0.8, mood_reason="a question"),
        )
    ):
        shown.show(Event(at * 1_000 * MS, told))
    moods = [line.split("mood", 1)[1].strip() for line in out.getvalue().splitlines()]
    assert moods == ["happy 0.7: a joke", "curious 0.5: somebody speaks", "curious 0.8: a question"]


def test_on_a_terminal_the_face_is_drawn_below_the_lines() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True)
    with Screen(console, Captions(), 16_000) as shown:
        shown.face(0, FaceState(mood="love", talking=True, energy=200))
    assert "♥" in out.getvalue()
    assert "╭" in out.getvalue()


WANTED = Outcomes(moods=3, ball_mm=510.0)


def test_a_conversation_that_did_all_it_should_has_nothing_unmet() -> None:
    assert unmet(WANTED, Seen(("neutral", "curious", "love"), "love", 480.0)) == ()


@pytest.mark.parametrize(
    ("seen", "failure"),
    [
        (Seen(("neutral", "curious"), "curious", 480.0), "was to show 3 moods"),
        (Seen(("neutral", "curious", "love"), "happy", 480.0), "feels happy, the face shows love"),
        (Seen(("neutral", "curious", "love"), "", 480.0), "nobody told what the robot feels"),
        (Seen(("neutral", "curious", "love"), "love", 1_208.0), "the ball is 1208 mm away"),
        (Seen(("neutral", "curious", "love"), "love", None), "the ball is nowhere"),
    ],
)
def test_what_did_not_come_about_is_said(seen: Seen, failure: str) -> None:
    [said] = unmet(WANTED, seen)
    assert failure in said


def test_the_demo_wants_moods_and_a_ball_and_other_scenarios_need_not(tmp_path: Path) -> None:
    outcomes = load().outcomes
    assert outcomes is not None
    assert outcomes.moods >= 3
    bad = tmp_path / "s.toml"
    bad.write_text('name="x"\nvoice="v"\n[outcomes]\nmoods=0\nball_mm=3\n[[utterance]]\n')
    with pytest.raises(BadScenario):
        load(bad)
