"""A fleet that converses for a given time, and the result."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from robot_sim.errors import HubNotReady
from robot_sim.load.fleet import Fleet, FleetOptions, running_fleet
from robot_sim.load.metrics import news, read_events
from robot_sim.load.result import LoadResult
from robot_sim.load.usage import Meter, Processes

_LINK_TIMEOUT_S = 20.0
_SETTLE_S = 1.0
_LAST_WORDS_S = 20.0
_LOOKS = 30
_LOOK_EVERY_S = 1.0
"""Shortest time between two looks at CPU and memory; there are about ``_LOOKS`` in a run."""


class Progress(NamedTuple):
    """How far a run is, about once a second."""

    at_s: float
    seconds: float
    fleet: Fleet


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """A fleet for ``seconds``. ``processes`` are the hub's, where they are on this machine."""

    fleet: FleetOptions
    seconds: float
    processes: Processes | None = None
    last_words: bool = True
    """Ask every robot at the end whether it still converses."""


async def run_load(
    options: LoadOptions, tell: Callable[[Progress], None] = lambda _: None
) -> LoadResult:
    """Let a fleet converse; ``tell`` hears about it once a second.

    Raises:
        HubNotReady: not one robot was welcomed.
    """
    async with running_fleet(options.fleet) as fleet:
        await fleet.until_linked(_LINK_TIMEOUT_S)
        if not fleet.linked:
            reasons = set(fleet.gone.values()) or {"no robot was welcomed"}
            raise HubNotReady(f"the hub at {options.fleet.url}: {sorted(reasons)[0]}")
        await asyncio.sleep(_SETTLE_S)
        return await _measure(fleet, options, tell)


async def _measure(
    fleet: Fleet, options: LoadOptions, tell: Callable[[Progress], None]
) -> LoadResult:
    hub, meter = options.fleet, Meter(options.processes or dict)
    before = await read_events(hub.url, hub.token)
    fleet.begin()
    await asyncio.to_thread(meter.look, 0.0, begin=True)
    elapsed_s = await _pass_time(fleet, options.seconds, meter, tell)
    late_ms = fleet.late_ns / 1e6
    silent = await fleet.last_words(_LAST_WORDS_S) if options.last_words else []
    after = await read_events(hub.url, hub.token)
    return LoadResult(
        robots=hub.robots,
        seconds=elapsed_s,
        seed=hub.seed,
        talk=hub.habits.talk,
        tally=fleet.tally,
        silent=tuple(silent),
        gone=dict(fleet.gone),
        events=news(before, after),
        cpu_s=meter.cpu_s,
        memory=tuple(meter.memory),
        late_ms=late_ms,
    )


async def _pass_time(
    fleet: Fleet, seconds: float, meter: Meter, tell: Callable[[Progress], None]
) -> float:
    loop = asyncio.get_running_loop()
    began_s, next_look_s = loop.time(), 0.0
    every_s = max(_LOOK_EVERY_S, seconds / _LOOKS)
    while (at_s := loop.time() - began_s) < seconds:
        if at_s >= next_look_s + every_s:
            next_look_s = at_s
            # Reading a process's memory map takes milliseconds: not in the loop that times frames.
            await asyncio.to_thread(meter.look, at_s)
        tell(Progress(at_s, seconds, fleet))
        await asyncio.sleep(min(1.0, seconds - at_s))
    await asyncio.to_thread(meter.look, at_s)
    return at_s
