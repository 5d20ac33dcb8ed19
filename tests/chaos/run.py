"""A fleet converses while its hub's processes are struck down one after the other."""

import asyncio
import itertools
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.trace.check import examine
from hub.trace.file import UnreadableTrace, read
from robot_sim.load.fleet import Fleet, FleetOptions, running_fleet
from tests.chaos.health import Canary, a_canary
from tests.chaos.memory import Growth, Sample, growth, private_mib
from tests.chaos.strikes import Strike, plan_strikes
from tests.e2e.processes import SCRIPTED, Processes, running

VICTIMS = ("hub", "ears", "stt", "planner", "planner:reflex", "tts", "recorder")
ENGINES: Mapping[str, str] = {
    **SCRIPTED,
    "HUB_AGENTS": ",".join(VICTIMS[1:]),
    "HUB_TRACE": "1",
}
PEACE_S = 15.0
_LINK_S = 30.0
_LAST_WORDS_S = 30.0
_LOOK_EVERY_S = 1.0
_NEW_PROCESS_S = 10.0
_POLL_S = 0.02


@dataclass(frozen=True, kw_only=True)
class ChaosOrder:
    """How many robots, for how long, and how often something is struck."""

    robots: int = 10
    seconds: float = 600.0
    strikes: int = 100
    seed: int = 1


@dataclass
class Blow:
    """A strike that was carried out; ``healed_s`` is how long the hub was ill after it."""

    strike: Strike
    pid: int
    healed_s: float = -1.0


@dataclass
class ChaosResult:
    """What came of a run; ``breaches`` is empty if all went as it must."""

    order: ChaosOrder
    blows: list[Blow] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    growth: dict[str, Growth] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    trace: str = "no trace"

    def document(self) -> dict[str, Any]:
        """Everything as JSON takes it."""
        return {
            "robots": self.order.robots,
            "seconds": self.order.seconds,
            "seed": self.order.seed,
            "breaches": self.breaches,
            "strikes": [
                {**blow.strike._asdict(), "pid": blow.pid, "healed_s": blow.healed_s}
                for blow in self.blows
            ],
            "growth": {name: grown._asdict() for name, grown in self.growth.items()},
            "counts": self.counts,
            "outcomes": self.outcomes,
            "trace": self.trace,
        }


class Chaos:
    """One run over a hub that is ready. ``tell`` hears a line for every strike."""

    def __init__(
        self,
        hub: Processes,
        order: ChaosOrder,
        fleet: Fleet,
        canary: Canary,
        tell: Callable[[str], None],
    ) -> None:
        self.result = ChaosResult(order)
        self._hub = hub
        self._order = order
        self._fleet = fleet
        self._canary = canary
        self._tell = tell
        self._samples: list[Sample] = []
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()

    async def run(self) -> None:
        """Strike as planned, then let there be peace, and judge."""
        plan = plan_strikes(VICTIMS, self._order.strikes, self._order.seconds, self._order.seed)
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch_memory())
            async with asyncio.TaskGroup() as blows:
                for strike in plan:
                    await asyncio.sleep(self._began_s + strike.at_s - self._loop.time())
                    blows.create_task(self._carry_out(strike))
            await asyncio.sleep(self._began_s + self._order.seconds - self._loop.time())
            self._tell(f"{self._now_s():6.1f} s  {PEACE_S:.0f} s of peace")
            await asyncio.sleep(PEACE_S)
            silent = await self._fleet.last_words(_LAST_WORDS_S)
            watching.cancel()
        self._judge(silent)

    def _now_s(self) -> float:
        return self._loop.time() - self._began_s

    async def _carry_out(self, strike: Strike) -> None:
        number = len(self.result.blows) + 1
        pid = await self._pid_of(strike.victim)
        if not pid:
            self.result.breaches.append(
                f"{strike.victim} does not run {strike.at_s + _NEW_PROCESS_S:.0f} s into the run"
            )
            return
        blow = Blow(strike, pid)
        self.result.blows.append(blow)
        how = f"SIGSTOP for {strike.stop_s:.1f} s" if strike.stop_s else "SIGKILL"
        line = (
            f"{self._now_s():6.1f} s  {number:3d}/{self._order.strikes}"
            f"  {how:19s} {strike.victim:14s} ({pid})"
        )

        def healed(seconds: float) -> None:
            blow.healed_s = seconds
            self._tell(f"{line}  answers after {seconds:5.2f} s")

        self._canary.struck(f"{how} of {strike.victim}", strike.stop_s, healed)
        with suppress(ProcessLookupError):
            if not strike.stop_s:
                os.kill(pid, signal.SIGKILL)
                return
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(strike.stop_s)
            os.kill(pid, signal.SIGCONT)

    async def _pid_of(self, victim: str) -> int:
        """The victim's process; it may just be starting again. 0 if it does not come."""
        end_s = self._loop.time() + _NEW_PROCESS_S
        while self._loop.time() < end_s:
            if pid := (await asyncio.to_thread(self._hub.children)).get(victim, 0):
                return pid
            await asyncio.sleep(_POLL_S)
        return 0

    async def _watch_memory(self) -> None:
        while True:
            await asyncio.to_thread(self._look)
            await asyncio.sleep(_LOOK_EVERY_S)

    def _look(self) -> None:
        """Reading a process's memory map takes milliseconds, so it is done in a thread."""
        children = {**self._hub.children(), "supervisor": self._hub.supervisor.pid}
        for name, pid in children.items():
            with suppress(OSError):
                self._samples.append(Sample(name, pid, self._now_s(), private_mib(pid)))

    def _judge(self, silent: list[str]) -> None:
        result, fleets = self.result, (self._fleet, self._canary.fleet)
        result.breaches += self._canary.late
        result.breaches += [f"{robot} does not converse at the end" for robot in silent]
        for fleet in fleets:
            result.breaches += [f"{r} was sent away: {why}" for r, why in fleet.gone.items()]
            result.breaches += [f"{b.robot}: {b.rule}: {b.detail}" for b in fleet.tally.breaches]
        result.growth = growth(self._samples)
        for name, grown in result.growth.items():
            if not grown.flat:
                result.breaches.append(
                    f"{name} takes {grown.last_mib:.1f} MiB after {grown.first_mib:.1f} MiB"
                )
        result.counts = dict(self._fleet.tally.counts)
        result.outcomes = dict(self._fleet.tally.outcomes)


async def run_chaos(
    folder: Path, order: ChaosOrder, tell: Callable[[str], None] = lambda _: None
) -> ChaosResult:
    """A hub of its own in ``folder``, a fleet on it, and everything that ``order`` wants done.

    Raises:
        AssertionError: a process outlived the hub.
    """
    async with running(folder, ENGINES) as hub:
        await hub.ready()
        options = FleetOptions(url=hub.url, robots=order.robots, seed=order.seed, name="chaos")
        async with running_fleet(options) as fleet, a_canary(hub.url) as canary:
            await fleet.until_linked(_LINK_S)
            await canary.fleet.until_linked(_LINK_S)
            chaos = Chaos(hub, order, fleet, canary, tell)
            await chaos.run()
    judge_traces(hub.data_dir / "traces", chaos.result)
    if "Traceback" in hub.said():
        chaos.result.breaches.append(f"a process failed: see {hub.log}")
    return chaos.result


def judge_traces(folder: Path, result: ChaosResult) -> None:
    """Check everything that was recorded, all runs of the hub one after the other."""
    files = sorted(folder.glob("*.mcap"), key=lambda file: file.stat().st_mtime_ns)
    try:
        verdict = examine(itertools.chain.from_iterable(map(read, files)))
    except UnreadableTrace as error:
        result.breaches.append(str(error))
        return
    result.trace = f"{len(files)} files, {verdict.summary}"
    if verdict.violation is not None:
        chain = "".join(f"\n    {line}" for line in verdict.violation.chain)
        result.breaches.append(f"the trace: {verdict.violation}{chain}")
    elif not verdict.turns:
        result.breaches.append("the trace holds no turn")
