"""The robot's clock counts through suspend, and what was received before one is worth nothing."""

import random
import time

from protocols.messages.robot import Action, ActionResult, Capabilities, Played, SpeechFrame
from robot_sim.actions import Actions, Begun
from robot_sim.clock import JUMP_NS, device_clock
from robot_sim.events import Happening, Jumped, Linked
from robot_sim.microphone import CHUNK_SAMPLES
from robot_sim.reconnect import DUEL, Retry, after_close
from robot_sim.robot import SimulatedRobot
from robot_sim.speaker import Cue, Speaker
from robot_sim.supervisor import Supervisor
from robot_sim.world import World, in_view
from tests.fakes.hub_server import FakeHub

MS = 1_000_000
SECOND = 1_000 * MS


class SleepyClock:
    """The device's clock on a machine that a test puts to sleep."""

    def __init__(self) -> None:
        self.slept_ns = 0

    def __call__(self) -> int:
        return device_clock() + self.slept_ns


def spin(name: str, **more: int) -> Action:
    return Action(id=name, epoch=1, turn=1, action="gesture", name="spin", **more)  # type: ignore[arg-type]


def speech(first_sample: int, samples: int) -> tuple[SpeechFrame, bytes]:
    header = SpeechFrame(epoch=1, turn=1, first_sample=first_sample, samples=samples, energy=9)
    return header, b"\1\1" * samples


def test_it_never_runs_backwards_and_is_at_least_as_old_as_the_monotonic_one() -> None:
    before, monotonic = device_clock(), time.monotonic_ns()
    assert before <= device_clock()
    assert monotonic - before < SECOND


def test_an_action_ends_at_the_deadline_of_the_robots_own_clock_if_that_comes_first() -> None:
    body = Actions(Capabilities())
    body.receive(spin("running"), 0)
    body.receive(spin("delayed", ttl_ms=2_000, expires_ns=400 * MS), 0)
    body.receive(spin("in time", ttl_ms=2_000, expires_ns=9_000 * MS), 0)
    steps = body.advance(500 * MS)
    assert ActionResult(id="delayed", ok=False, detail="expired") in steps
    assert [step.action.id for step in steps if isinstance(step, Begun)] == ["in time"]
    late = body.receive(spin("late", expires_ns=1_000 * MS), 1_001 * MS)
    assert late == [
        ActionResult(id="in time", ok=True),
        ActionResult(id="late", ok=False, detail="expired"),
    ]


def test_after_a_jump_nothing_received_before_is_played_or_begun() -> None:
    told: list[Happening] = []
    speaker = Speaker(16_000, 0)
    supervisor = Supervisor("r1", Capabilities(), speaker, told.append)
    supervisor.on_speech(*speech(0, 16_000), 0)
    supervisor.on_message(spin("running"), 0)
    supervisor.on_message(spin("waiting", ttl_ms=3_600_000), 0)
    supervisor.advance(100 * MS)
    assert speaker.samples_played(1) == 1_600

    hour = 3_600 * SECOND
    answers = supervisor.jumped(hour)
    assert answers == [ActionResult(id="waiting", ok=False, detail="expired")]
    supervisor.advance(hour + SECOND)
    assert speaker.samples_played(1) == 1_600
    assert [step.action.id for step in told if isinstance(step, Begun)] == ["running"]

    # What is sent anew goes on at the first sample that was not played.
    now = hour + SECOND
    supervisor.on_speech(*speech(1_600, 1_600), now)
    played = [m for m in supervisor.advance(now + 100 * MS) if isinstance(m, Played)]
    assert speaker.samples_played(1) == 3_200
    assert played[-1].samples == 3_200
    assert speaker.counters["gap"] == 0


def test_a_robot_that_was_on_its_way_stands_still_after_a_jump() -> None:
    told: list[Happening] = []
    world = World("r1", in_view())
    supervisor = Supervisor("r1", Capabilities(), Speaker(16_000, 0), told.append, world)
    go = Action(id="go", epoch=1, turn=1, action="skill", name="investigate_ball")
    supervisor.advance(20 * MS)
    supervisor.on_message(go, 20 * MS)
    for ms in range(40, 2_000, 20):
        supervisor.advance(ms * MS)
    before = world.pose
    assert before != in_view().pose, "it is on its way"
    woken = 3_600 * SECOND
    supervisor.jumped(woken)
    for ms in range(0, 2_000, 20):
        supervisor.advance(woken + ms * MS)
    assert world.pose == before
    state = world.state(woken + 2 * SECOND, talking=False, listening=False)
    assert state["mode"] == "IDLE"
    assert "skill investigate_ball given up" in state["recent_events"]


async def test_a_robot_that_was_suspended_comes_back_and_plays_nothing_old() -> None:
    clock = SleepyClock()
    async with FakeHub() as hub, SimulatedRobot(hub.url, "r1", clock=clock) as robot:
        connection = await hub.connection()
        await connection.welcome()
        await robot.next(Linked)
        await connection.speak(1, 20_000, end=False)
        await robot.next(Cue)
        clock.slept_ns += JUMP_NS - SECOND  # a hitch, no suspend: what it has plays on
        await robot.next(Cue, lambda cue: cue.played.samples > 16_000)
        assert not [event for event in robot.log if isinstance(event.what, Jumped)]
        captured = robot.microphone.captured
        clock.slept_ns += 2 * 3_600 * SECOND
        jumped = await robot.next(Jumped)
        assert jumped.ms >= 2 * 3_600_000
        again = await hub.connection()
        await again.welcome(resumed=True)
        await robot.next(Linked)
        assert again.hello.resume == "token-1"
        assert robot.speaker.playing is None
        assert robot.played_ms(1) < 20_000
        assert robot.microphone.captured - captured < 1_000 * CHUNK_SAMPLES  # no two hours of it


def test_in_a_duel_it_waits_as_long_as_the_hub_asks_and_no_longer_than_a_minute() -> None:
    for reason, least_s in (("duel 41", 41), ("duel 999", 60), ("duel", 0), ("duel x", 0)):
        decision = after_close(DUEL, reason, "ws://hub", 0, random.Random(1))
        assert isinstance(decision, Retry)
        assert least_s <= decision.after_s <= least_s + 1
