"""When a hub that was struck is healthy again: a robot of its own keeps asking it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from robot_sim.load.fleet import Fleet, FleetOptions, running_fleet
from robot_sim.load.user import Habits

HEALTHY_WITHIN_S = 10.0
"""I8: within so many seconds of the last fault a fresh question is answered."""
CANARY = "canary"
_HASTY = Habits(
    talk=0.95,
    barges=0.0,
    cancels=0.0,
    utterance_s=(0.2, 0.3),
    answer_words=(3, 3),
    shortest_pause_s=0.05,
    patience_s=1.5,
)
_POLL_S = 0.02


@dataclass
class Wound:
    """A fault that is not known to be healed: ``question`` is what the canary had asked by then,
    ``over_s`` when the fault itself ended or will end."""

    what: str
    at_s: float
    over_s: float
    question: str
    healed: Callable[[float], None]


class Canary:
    """Knows of every fault after how many seconds a question was answered that was asked after it.

    ``late`` holds a sentence for each time that the hub was ill for longer than I8 allows.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.late: list[str] = []
        self.fleet = fleet
        self._robot = fleet.robots[0]
        self._wounds: list[Wound] = []
        self._loop = asyncio.get_running_loop()

    def struck(self, what: str, lasts_s: float, healed: Callable[[float], None]) -> None:
        """A fault begins now; ``healed`` is called with the seconds from its beginning until a
        question was answered that was asked after it."""
        now_s = self._loop.time()
        self._wounds.append(Wound(what, now_s, now_s + lasts_s, self._robot.user.question, healed))

    @property
    def healthy(self) -> bool:
        """Whether every fault is healed."""
        return not self._wounds

    async def watch(self) -> None:
        """Look after the canary until cancelled."""
        while True:
            await asyncio.sleep(_POLL_S)
            now_s = self._loop.time()
            for wound in [w for w in self._wounds if self._is_healed(w)]:
                self._wounds.remove(wound)
                wound.healed(now_s - wound.at_s)
            over_s = max((wound.over_s for wound in self._wounds), default=now_s)
            if now_s - over_s > HEALTHY_WITHIN_S:
                names = ", ".join(wound.what for wound in self._wounds)
                self.late.append(f"not healthy {HEALTHY_WITHIN_S:.0f} s after {names}")
                self._wounds.clear()

    def _is_healed(self, wound: Wound) -> bool:
        robot = self._robot
        fresh = robot.user.question != wound.question and not robot.user.waits
        return fresh and robot.answered_ns / 1e9 > wound.at_s


@asynccontextmanager
async def a_canary(url: str) -> AsyncIterator[Canary]:
    """A canary on the hub at ``url`` while the block runs."""
    options = FleetOptions(url=url, robots=1, name=CANARY, habits=_HASTY)
    async with running_fleet(options) as fleet, asyncio.TaskGroup() as tasks:
        canary = Canary(fleet)
        watching = tasks.create_task(canary.watch())
        try:
            yield canary
        finally:
            watching.cancel()
