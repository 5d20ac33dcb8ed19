"""The simulation finds bugs: each of these is planted, found within a few seeds, and named."""

from itertools import count

import pytest

from hub.edge.outbox import Outbox
from hub.session.link import RobotLink
from hub.store.base import Store
from hub.store.memory import MemoryStore
from protocols.identity import Stamp
from protocols.messages.robot import Flushed
from robot_sim.speaker import Cue, Speaker
from tests.simulation.device import Device
from tests.simulation.plan import Fault, plan
from tests.simulation.report import failure
from tests.simulation.run import Result, run
from tests.simulation.world import World
from tests.virtual_time import clock_ns

TRIES = 20


class DeafSpeaker(Speaker):
    """Says that it has flushed, and plays on."""

    def flush(self, upto: Stamp, now_ns: int) -> tuple[list[Cue], Flushed]:
        cues = self.advance(now_ns)
        played = self.samples_played(upto.turn)
        return cues, Flushed(epoch=upto.epoch, turn=upto.turn, samples=played)


class DeafDevice(Device):
    speaker_kind = DeafSpeaker


class ForgetfulStore(MemoryStore):
    """Gives every epoch to two connections."""

    async def next_epoch(self, robot: str) -> int:
        return (await super().next_epoch(robot) + 1) // 2


class WithoutAFence(World):
    device_kind = DeafDevice


class WithoutABound(World):
    def attached(self, link: RobotLink) -> None:
        wire = getattr(link, "_link", link)._wire
        wire._outbox = Outbox(control_bound=1 << 40, speech_bound=1 << 40)


class WithEpochsTwice(World):
    def new_store(self) -> Store:
        return ForgetfulStore(lambda: clock_ns() / 1e9)


def _first_broken(world: type[World], fault: Fault | None) -> Result:
    """The first of some seeds, all of them with ``fault``, in which something breaks."""
    seeds = (s for s in count() if fault is None or fault in plan(s).faults)
    for _, seed in zip(range(TRIES), seeds, strict=False):
        result = run(seed, world=world)
        if result.violations:
            return result
    pytest.fail(f"not found in {TRIES} seeds")


@pytest.mark.parametrize(
    ("world", "fault", "invariant"),
    [
        pytest.param(WithoutAFence, None, "I1", id="a fence check removed"),
        pytest.param(WithoutABound, Fault.FLOOD, "I6", id="a queue unbounded"),
        pytest.param(WithEpochsTwice, Fault.CUT, "I2", id="an epoch reused"),
    ],
)
def test_a_planted_bug_is_found_and_named(
    world: type[World], fault: Fault | None, invariant: str
) -> None:
    found = _first_broken(world, fault)
    assert found.violations[0].invariant == invariant
    assert run(found.seed).violations == ()
    told = failure(found, world)
    assert f"{invariant} is broken" in told
    assert f"python -m tests.simulation --seed {found.seed}" in told
    needs = told.split("needs: ")[1].splitlines()[0]
    assert fault is None or fault in needs.split(", ")
