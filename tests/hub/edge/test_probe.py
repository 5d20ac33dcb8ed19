"""A robot is asked for its clock as long as its connection lasts."""

import asyncio

from hub.counters import Counters
from hub.edge.clock import ClockFilter, Reading
from hub.edge.probe import EVERY_S, FIRST_PINGS, Probe
from protocols.messages.robot import Ping, Pong
from tests.virtual_time import clock_ns, virtual


class FakeRobot:
    """A link whose robot answers ``after_s``, by a clock that is ``ahead_ns``."""

    def __init__(self, after_s: float = 0.010) -> None:
        self.clock = ClockFilter()
        self.flowing = True
        self.counters = Counters()
        self.pings: list[Ping] = []
        self.readings: list[Reading] = []
        self.ahead_ns = 5_000_000_000
        self.answers = True
        self._after_s = after_s
        self.probe = Probe(self, self.counters, clock_ns, self.readings.append)

    def send(self, message: Ping, /) -> None:
        self.pings.append(message)
        if self.answers:
            asyncio.get_running_loop().call_later(self._after_s, self._answer, message)

    def _answer(self, ping: Ping) -> None:
        now_ns = clock_ns() + self.ahead_ns
        self.probe.on_pong(Pong(t0_ns=ping.t0_ns, t1_ns=now_ns, t2_ns=now_ns))


@virtual
async def test_four_pings_in_the_first_second_and_one_every_two_seconds_after() -> None:
    robot = FakeRobot()
    robot.probe.ping()
    await asyncio.sleep(0.9)
    assert len(robot.pings) == FIRST_PINGS
    await asyncio.sleep(10 * EVERY_S)
    assert len(robot.pings) == FIRST_PINGS + 10
    robot.probe.stop()
    await asyncio.sleep(60)
    assert len(robot.pings) == FIRST_PINGS + 10


@virtual
async def test_the_offset_is_told_once_and_again_when_the_robots_clock_jumps() -> None:
    robot = FakeRobot()
    robot.probe.ping()
    await asyncio.sleep(5)
    first = robot.readings[0]
    assert abs(first.offset_ns - 5_000_000_000) <= first.error_ns < 6_000_000
    told = len(robot.readings)
    robot.ahead_ns += 60_000_000_000
    await asyncio.sleep(EVERY_S + 0.1)
    assert robot.counters.read() == {"pongs.stepped": 1}
    assert abs(robot.readings[told].offset_ns - 65_000_000_000) <= robot.readings[told].error_ns
    robot.probe.stop()


@virtual
async def test_a_pong_that_answers_no_ping_of_ours_or_answers_twice_is_counted_and_ignored() -> (
    None
):
    robot = FakeRobot()
    robot.answers = False
    robot.probe.ping()
    (ping,) = robot.pings
    robot.probe.on_pong(Pong(t0_ns=ping.t0_ns + 1, t1_ns=1, t2_ns=1))
    robot.probe.on_pong(Pong(t0_ns=ping.t0_ns, t1_ns=2, t2_ns=1))
    robot.probe.on_pong(Pong(t0_ns=ping.t0_ns, t1_ns=1, t2_ns=1))
    robot.probe.stop()
    assert robot.counters.read() == {"pongs.unknown": 2, "pongs.impossible": 1}
    assert robot.readings == []


@virtual
async def test_nothing_is_asked_through_a_socket_that_takes_nothing() -> None:
    robot = FakeRobot()
    robot.flowing = False
    robot.probe.ping()
    await asyncio.sleep(10)
    assert robot.pings == []
    robot.flowing = True
    await asyncio.sleep(1)
    assert robot.pings
    robot.probe.stop()
