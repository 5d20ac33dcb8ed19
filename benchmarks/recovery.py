"""P13: how soon a fleet converses again after its hub was killed, or after its sockets were cut.

*Kill*: ``kill -9`` of the hub's process under 20 robots. The agents live on with what they have
loaded. A robot converses again when it hears the answer to something that was asked afterwards.

*Cut*: robots that are being spoken to lose their socket without a close frame and come back 5 s
later. Their loudspeaker has played what it had; the answer goes on at the first sample that is
missing.
"""

import asyncio
import os
import signal
import statistics
import time
from typing import NamedTuple

from benchmarks.fleets import on_a_loop
from benchmarks.report import Row
from benchmarks.stack import SCRIPTED, Stack, stack
from benchmarks.timing import within
from robot_sim.load.fleet import Fleet, FleetOptions, running_fleet
from robot_sim.load.robot import SPEECH_RATE_HZ, LightRobot
from robot_sim.load.usage import running_under
from robot_sim.load.user import Habits

KILL_GOAL_S = 5.0
CUT_GOAL_MS = 1_000.0
ROBOTS = 20
AWAY_S = 5.0
LINK_TIMEOUT_S = 20.0
RECOVER_TIMEOUT_S = 25.0
SPOKEN_S = 1.0
"""So much of an answer is heard before the cut."""
SPEECH_TIMEOUT_S = 3.0
POLL_S = 0.01
EAGER = Habits(
    talk=0.4, utterance_s=(0.2, 0.4), answer_words=(3, 5), barges=0, cancels=0, patience_s=1.0
)
"""Their users ask again within about two seconds."""
LISTENERS = Habits(
    talk=0.1, utterance_s=(0.2, 0.4), answer_words=(50, 60), barges=0, cancels=0, patience_s=20.0
)
"""They are spoken to for ten seconds or more."""


def run(robots: int = ROBOTS, away_s: float = AWAY_S) -> list[Row]:
    """Measure P13."""
    with stack(SCRIPTED) as hub:
        cut = on_a_loop(lambda: _cut(hub, robots, away_s))
        kill = on_a_loop(lambda: _kill(hub, robots))
    return [*_kill_rows(kill, robots), *_cut_rows(cut, away_s)]


class Kill(NamedTuple):
    """A hub that was killed: seconds until each robot was welcomed and until it conversed again, as
    far as it did, and the agents that are another process afterwards."""

    welcomed_s: list[float]
    recovered_s: list[float]
    restarted: list[str]


async def _kill(hub: Stack, robots: int) -> Kill:
    options = FleetOptions(url=hub.url, robots=robots, name="kill", habits=EAGER)
    async with running_fleet(options) as fleet:
        await fleet.until_linked(LINK_TIMEOUT_S)
        await fleet.answered_since(0, RECOVER_TIMEOUT_S)
        before = running_under(hub.supervisor_pid)
        killed_ns = time.monotonic_ns()
        os.kill(before["hub"], signal.SIGKILL)
        welcomed_s, recovered_s = await _recovered(fleet, killed_ns)
        after = running_under(hub.supervisor_pid)
    restarted = [name for name in before if name != "hub" and before[name] != after.get(name)]
    return Kill(welcomed_s, recovered_s, restarted)


async def _recovered(fleet: Fleet, killed_ns: int) -> tuple[list[float], list[float]]:
    """Seconds until each robot had a new connection, and first heard an answer on it."""
    welcomed: dict[str, float] = {}
    recovered: dict[str, float] = {}
    give_up_ns = killed_ns + int(RECOVER_TIMEOUT_S * 1e9)
    while len(recovered) < len(fleet.robots) and time.monotonic_ns() < give_up_ns:
        for robot in fleet.robots:
            if robot.welcomed_ns > killed_ns:
                welcomed.setdefault(robot.name, (robot.welcomed_ns - killed_ns) / 1e9)
                if robot.answered_ns > robot.welcomed_ns:
                    recovered.setdefault(robot.name, (robot.answered_ns - killed_ns) / 1e9)
        await asyncio.sleep(POLL_S)
    return list(welcomed.values()), list(recovered.values())


class Cut(NamedTuple):
    """A robot that lost its socket in mid-speech: milliseconds from the welcome to the next frame
    of what was being said, None if it did not go on; samples that came twice, or never."""

    resumed_ms: float | None
    again: int
    missing: int


async def _cut(hub: Stack, robots: int, away_s: float) -> list[Cut]:
    options = FleetOptions(url=hub.url, robots=robots, name="cut", habits=LISTENERS)
    async with running_fleet(options) as fleet:
        await fleet.until_linked(LINK_TIMEOUT_S)
        for robot in fleet.robots:
            robot.user.leave(time.monotonic_ns())  # asks now, and is answered at length
        await fleet.answered_since(0, LINK_TIMEOUT_S)
        await asyncio.sleep(SPOKEN_S)
        turns = {robot.name: robot.loudspeaker.turn for robot in fleet.robots}
        for robot in fleet.robots:
            fleet.cut(robot.name, away_s)
        await asyncio.sleep(away_s)
        await fleet.until_linked(LINK_TIMEOUT_S)
        await asyncio.sleep(SPEECH_TIMEOUT_S)
        return [_went_on(robot, turns[robot.name]) for robot in fleet.robots]


def _went_on(robot: LightRobot, turn: int) -> Cut:
    first = robot.first_speech
    if first is None or first.header.turn != turn:
        return Cut(None, 0, 0)
    ahead = first.header.first_sample - first.received
    return Cut((first.at_ns - robot.welcomed_ns) / 1e6, max(0, -ahead), max(0, ahead))


def _kill_rows(kill: Kill, robots: int) -> list[Row]:
    case = f"P13 kill -9 of the hub, {robots} robots"
    silent = robots - len(kill.recovered_s)
    slowest = max(kill.recovered_s, default=float("nan"))
    welcomed, recovered = sorted(kill.welcomed_s), sorted(kill.recovered_s)
    notes = [f"{silent} robots did not within {RECOVER_TIMEOUT_S:.0f} s"] if silent else []
    if recovered:
        notes = [
            f"median {statistics.median(recovered):.1f} s",
            f"welcomed after {welcomed[0]:.1f} to {welcomed[-1]:.1f} s",
            *notes,
        ]
    return [
        Row(
            case=case,
            metric="until the last robot converses again",
            ours=slowest,
            peer=None,
            unit="s",
            goal=f"≤ {KILL_GOAL_S:g} s",
            ok=False if silent else within(slowest, KILL_GOAL_S),
            note="; ".join(notes),
        ),
        Row(
            case=case,
            metric="agents that were started again",
            ours=len(kill.restarted),
            peer=None,
            unit="agents",
            goal="0",
            ok=not kill.restarted,
            note=", ".join(kill.restarted),
        ),
    ]


def _cut_rows(cuts: list[Cut], away_s: float) -> list[Row]:
    case = f"P13 socket cut for {away_s:g} s, {len(cuts)} robots"
    resumed = [cut.resumed_ms for cut in cuts if cut.resumed_ms is not None]
    silent = len(cuts) - len(resumed)
    slowest = max(resumed, default=float("nan"))
    missing = sum(cut.missing for cut in cuts)
    again_ms = max(cut.again for cut in cuts) * 1000 / SPEECH_RATE_HZ
    return [
        Row(
            case=case,
            metric="welcome → what was being said goes on, slowest",
            ours=slowest,
            peer=None,
            unit="ms",
            goal=f"≤ {CUT_GOAL_MS:g} ms",
            ok=False if silent else within(slowest, CUT_GOAL_MS),
            note=f"{silent} answers did not go on" if silent else "",
        ),
        Row(
            case=case,
            metric="samples that were skipped",
            ours=missing,
            peer=None,
            unit="samples",
            goal="0",
            ok=False if silent else missing == 0,
            note=f"at most {again_ms:.0f} ms came twice and were not played again",
        ),
    ]
