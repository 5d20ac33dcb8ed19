"""Numbers of turns: blocks of them are on the disk before the first of a block is used."""

import asyncio

import structlog

from hub.counters import Counters
from hub.errors import StoreFailed
from hub.session.seat import Seat
from hub.store.base import Store
from protocols.errors import HubError

BLOCK = 256
RESERVE = 64
"""A new block is fetched while this many are left."""
LAST = 8
"""A robot is sent away when hardly any are left: none may be used twice, not even after a crash."""
AGAIN_S = 1.0

_CANNOT_SAVE = 1011

log = structlog.get_logger()


class TurnNumbers:
    """Keeps every seat in numbers that no turn has had. ``tasks`` owns what it starts."""

    def __init__(self, store: Store, tasks: asyncio.TaskGroup, counters: Counters) -> None:
        self._store = store
        self._tasks = tasks
        self._counters = counters
        self._stop: dict[str, int] = {}
        self._fetching: set[str] = set()

    async def first(self, robot: str) -> int:
        """The last number that an earlier run may have used, for a robot new to this run.

        Raises:
            StoreFailed: the disk does not do its part.
        """
        block = await self._store.reserve_turns(robot, BLOCK)
        self._stop[robot] = block.stop
        return block.start - 1

    async def ensure(self, seat: Seat) -> None:
        """Return once there are numbers in reserve.

        Raises:
            StoreFailed: the disk does not do its part.
        """
        if self._left(seat) <= RESERVE:
            await self._reserve(seat)

    def used(self, seat: Seat) -> None:
        """A turn may have begun: see to it that more can."""
        left = self._left(seat)
        if left <= RESERVE and seat.robot not in self._fetching:
            self._fetching.add(seat.robot)
            self._tasks.create_task(self._fetch(seat))
        if left <= LAST and seat.link is not None:
            # The loop may take some further step before this robot can be stopped.
            self._counters.count("robots_out_of_turns")
            asyncio.get_running_loop().call_soon(seat.link.close, _CANNOT_SAVE, StoreFailed.code)

    def _left(self, seat: Seat) -> int:
        return self._stop[seat.robot] - 1 - seat.state.last_turn

    async def _fetch(self, seat: Seat) -> None:
        try:
            await self._reserve(seat)
        except HubError as error:
            self._counters.count("turns_not_reserved")
            log.error("turns not reserved", robot=seat.robot, error=str(error))
            await asyncio.sleep(AGAIN_S)
        finally:
            self._fetching.discard(seat.robot)

    async def _reserve(self, seat: Seat) -> None:
        block = await self._store.reserve_turns(seat.robot, BLOCK)
        self._stop[seat.robot] = block.stop
