"""The whole robot against a scripted hub, over real sockets and in real time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from protocols.messages.robot import (
    Action,
    ActionResult,
    Cancel,
    Duck,
    Flush,
    Flushed,
    Hold,
    MicSwitch,
    Ping,
    Played,
    Pong,
    Release,
    Text,
    TurnBegin,
    Wake,
    World,
)
from protocols.messages.session import EchoCanceller
from robot_sim.errors import LinkGone
from robot_sim.events import Linked, Unlinked
from robot_sim.faults import Faults
from robot_sim.microphone import Spoken
from robot_sim.robot import RobotOptions, SimulatedRobot
from robot_sim.speaker import Cue, Moment
from robot_sim.world import World as RoomWorld
from tests.fakes.hub_server import FakeConnection, FakeHub


@asynccontextmanager
async def robot_on_hub(
    options: RobotOptions | None = None,
) -> AsyncIterator[tuple[SimulatedRobot, FakeConnection, FakeHub]]:
    async with FakeHub() as hub, SimulatedRobot(hub.url, "r1", options) as robot:
        connection = await hub.connection()
        await connection.welcome()
        await robot.next(Linked)
        yield robot, connection, hub


async def test_it_says_hello_under_its_own_name() -> None:
    async with robot_on_hub(RobotOptions(token="secret")) as (_, connection, hub):
        assert hub.paths == ["/robot?robot_id=r1"]
        assert hub.tokens == ["Bearer secret"]
        assert connection.hello.aec is EchoCanceller.DEVICE
        world = await connection.next(World)
        assert world.world["robot_id"] == "r1"


async def test_it_hears_all_the_time_and_counts_from_its_connection() -> None:
    async with robot_on_hub() as (robot, connection, _):
        robot.say(np.full(1600, 9000, np.int16), "tone")
        await robot.next(Spoken, lambda s: s.began)
        await robot.next(Spoken, lambda s: not s.began)
        robot.write("done")
        await connection.next(Text)
        firsts = [header.first_sample for header, _ in connection.mic]
        assert firsts == list(range(0, 320 * len(firsts), 320))
        sound = np.frombuffer(b"".join(pcm for _, pcm in connection.mic), "<i2")
        assert 1400 <= int((sound > 8000).sum()) <= 1600


async def test_while_its_microphone_is_off_no_sound_leaves_it_and_it_says_so_again() -> None:
    async with robot_on_hub() as (robot, connection, hub):
        robot.switch_mic(True)
        assert (await connection.next(MicSwitch)).off is True
        robot.write("after the switch")
        await connection.next(Text)
        heard = len(connection.mic)
        robot.say(np.full(320, 9000, np.int16), "tone")
        await robot.next(Spoken, lambda s: not s.began)
        assert len(connection.mic) == heard
        await connection.socket.close(1011)
        again = await hub.connection()
        await again.welcome()
        assert (await again.next(MicSwitch)).off is True
        robot.switch_mic(False)
        assert (await again.next(MicSwitch)).off is False
        await again.heard.wait()


async def test_a_wake_word_of_its_own_is_told_with_where_it_ended() -> None:
    words = iter(["", "", "hey_robot"])
    options = RobotOptions(wakes=lambda pcm: next(words, ""))
    async with robot_on_hub(options) as (_, connection, _):
        assert (await connection.next(Wake)).word == "hey_robot"


async def test_it_rests_between_its_chunks() -> None:
    looks = 0

    def clock() -> int:
        nonlocal looks
        looks += 1
        return time.monotonic_ns()

    async with FakeHub() as hub, SimulatedRobot(hub.url, "r1", clock=clock):
        connection = await hub.connection()
        await connection.welcome()
        async with asyncio.timeout(5):
            while len(connection.mic) < 10:
                connection.heard.clear()
                await connection.heard.wait()
    assert looks < 200


async def test_it_plays_and_reports_how_far_it_got() -> None:
    async with robot_on_hub() as (robot, connection, _):
        await connection.speak(1, 260)
        reports = [await connection.next(Played) for _ in range(3)]
        assert [r.samples for r in reports][-1] <= 4160
        end = await robot.next(Cue, lambda cue: cue.moment is Moment.ENDED)
        assert (end.played.samples, end.played.underruns) == (4160, 0)
        assert robot.played_ms(1) == 260
        assert any(header.playout_sample > 0 for header, _ in connection.mic)


async def test_an_interruption_ducks_holds_and_flushes() -> None:
    async with robot_on_hub() as (robot, connection, _):
        await connection.speak(1, 2000)
        await robot.next(Cue)
        await connection.send(Duck(turn=1), Hold(turn=1))
        held = await robot.next(Cue, lambda cue: cue.moment is Moment.HELD)
        await connection.send(Flush(epoch=1, turn=1))
        flushed = await connection.next(Flushed)
        assert flushed.samples == held.played.samples
        await connection.speak(1, 200)
        await connection.speak(2, 100)
        ended = await robot.next(Cue, lambda cue: cue.moment is Moment.ENDED)
        assert ended.played.turn == 2
        assert robot.speaker.counters["fenced"] == 10


async def test_a_false_alarm_costs_no_sample() -> None:
    async with robot_on_hub() as (robot, connection, _):
        await connection.speak(1, 300)
        await robot.next(Cue)
        await connection.send(Hold(turn=1))
        await robot.next(Cue, lambda cue: cue.moment is Moment.HELD)
        await connection.send(Release(turn=1))
        ended = await robot.next(Cue, lambda cue: cue.moment is Moment.ENDED)
        assert (ended.played.samples, ended.played.underruns) == (4800, 0)


async def test_it_answers_a_ping_with_its_own_clock() -> None:
    async with robot_on_hub() as (robot, connection, _):
        await connection.send(Ping(t0_ns=5))
        pong = await connection.next(Pong)
        assert pong.t0_ns == 5
        assert 0 < pong.t1_ns <= pong.t2_ns <= robot.now_ns()


async def test_an_action_that_comes_twice_is_done_once_and_answered_twice() -> None:
    async with robot_on_hub() as (robot, connection, _):
        spin = Action(id="a1", epoch=1, turn=1, action="skill", name="scan_for_target")
        await connection.send(spin, spin)
        assert await connection.next(ActionResult) == ActionResult(id="a1", ok=True)
        await connection.send(spin)
        assert await connection.next(ActionResult) == ActionResult(id="a1", ok=True)
        assert isinstance(robot.body, RoomWorld)
        assert robot.body.skill == "scan_for_target"
        names = [type(event.what).__name__ for event in robot.log]
        assert names.count("Begun") == 1


async def test_typing_and_the_stop_button_reach_the_hub() -> None:
    async with robot_on_hub() as (robot, connection, _):
        robot.write("hello")
        robot.cancel()
        assert (await connection.next(Text)).text == "hello"
        await connection.next(Cancel)


async def test_it_comes_back_with_its_resume_token_after_a_cut() -> None:
    async with robot_on_hub() as (robot, first, hub):
        await first.speak(3, 1500)
        await robot.next(Cue)
        await robot.link.cut()
        second = await hub.connection()
        assert (second.hello.resume, second.hello.boot, second.hello.order) == ("token-1", 7, 41)
        playing = second.hello.playing
        assert playing is not None
        assert (playing.turn, playing.received) == (3, 1500 * 16)
        assert 0 < playing.samples < playing.received
        await second.welcome(resumed=True)
        assert (await second.next(Played)).turn == 3
        async with asyncio.timeout(5):
            while not second.mic:
                await robot.changed()
        assert second.mic[0][0].first_sample == 0


async def test_it_remembers_the_last_number_and_takes_nothing_twice() -> None:
    async with robot_on_hub() as (robot, first, hub):
        await first.send(*[TurnBegin(turn=n, order=41 + n) for n in (1, 2, 2)], Ping(t0_ns=1))
        await first.next(Pong)
        await robot.link.cut()
        second = await hub.connection()
        assert second.hello.order == 43
        await second.welcome(resumed=True)
        await second.send(TurnBegin(turn=3, order=44), TurnBegin(turn=5, order=46), Ping(t0_ns=2))
        await second.next(Pong)
        begun = [e.what.turn for e in robot.log if isinstance(e.what, TurnBegin)]
        assert begun == [1, 2, 3, 5]
        counters = robot.link.counters
        assert (counters["control_repeated"], counters["control_gap"]) == (1, 1)


async def test_a_hub_that_it_is_not_paired_with_does_not_get_it() -> None:
    async with robot_on_hub() as (robot, _, hub):
        await robot.link.cut()
        second = await hub.connection()
        await second.welcome(hub_id="another")
        with pytest.raises(LinkGone, match="another answers; this robot is paired with fake"):
            await robot.next(Linked)
        async with asyncio.timeout(10):
            await second.closed.wait()


async def test_it_may_be_told_beforehand_which_hub_is_its_own() -> None:
    async with (
        FakeHub() as hub,
        SimulatedRobot(hub.url, "r1", RobotOptions(hub_id="mine")) as robot,
    ):
        await (await hub.connection()).welcome()
        with pytest.raises(LinkGone, match="paired with mine"):
            await robot.next(Linked)


@pytest.mark.parametrize("code", [4001, 4003, 4011, 4400])
async def test_it_does_not_come_back_when_it_must_not(code: int) -> None:
    async with robot_on_hub() as (robot, connection, _):
        await connection.socket.close(code)
        assert (await robot.next(Unlinked)).code == code
        with pytest.raises(LinkGone):
            await robot.next(Linked)


async def test_it_moves_to_the_hub_that_it_is_sent_to() -> None:
    async with robot_on_hub() as (_, connection, _), FakeHub() as other:
        await connection.socket.close(4012, f"{other.url}/robot?robot_id=r1")
        moved = await other.connection()
        assert moved.hello.resume == "token-1"


async def test_a_frame_that_makes_no_sense_harms_no_other() -> None:
    async with robot_on_hub() as (robot, connection, _):
        await connection.socket.send("{")
        await connection.socket.send('{"type":"news","text":"later"}')
        await connection.socket.send(b"\xff\xff")
        await connection.send(Ping(t0_ns=1))
        await connection.next(Pong)
        assert robot.link.counters["refused.malformed_frame"] == 3


async def test_faults_drop_and_double_what_it_sends() -> None:
    faults = Faults(seed=3, drop=0.3, duplicate=0.3, jitter_ms=60)
    async with robot_on_hub(RobotOptions(faults=faults)) as (robot, connection, _):
        robot.say(np.ones(16_000, np.int16))
        await robot.next(Spoken, lambda s: not s.began)
        firsts = [header.first_sample for header, _ in connection.mic]
        assert len(set(firsts)) < len(firsts)
        assert len(set(firsts)) < 48
        assert firsts != sorted(firsts)
        assert robot.link.counters["faults_dropped"] > 0
