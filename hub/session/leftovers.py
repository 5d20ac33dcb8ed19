"""Turns under way, kept on disk for the next run of the hub; and what an earlier run has left."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from hub.counters import Counters
from hub.open_turn import OpenTurn
from hub.session.heard import heard_answer
from hub.session.presence import ended_by_restart, exchange_of
from hub.session.seat import Seat
from hub.session.state import State
from hub.store.base import Leftover, Record, Store
from protocols.bus import HubBus
from protocols.envelope import Envelope
from protocols.messages.robot import Hello

WRITE_SOON_S = 0.05
WRITE_EVERY_S = 0.5
"""How old what is on disk may be; one transaction for all robots that are in a turn. The first one
after a while comes sooner."""

log = structlog.get_logger()

Save = Callable[[Mapping[str, OpenTurn | None]], None]


class Notebook:
    """Collects the turns under way and writes them down together, twice a second at most."""

    def __init__(self, save: Save) -> None:
        """``save`` writes in the background."""
        self._save = save
        self._noted: dict[str, Seat] = {}
        self._written: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._written_s = 0.0

    def note(self, seat: Seat) -> None:
        """The seat's turn has changed."""
        if self._closed:
            return
        self._noted[seat.robot] = seat
        if self._timer is None:
            loop = asyncio.get_running_loop()
            wait_s = max(WRITE_SOON_S, self._written_s + WRITE_EVERY_S - loop.time())
            self._timer = loop.call_later(wait_s, self.write)

    def expect(self, robot: str) -> None:
        """There is a turn of ``robot`` on the disk."""
        self._written.add(robot)

    def write(self) -> None:
        """Write now what was noted. A turn that began and ended since is none."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        turns: dict[str, OpenTurn | None] = {}
        for robot, seat in self._noted.items():
            turn = open_turn_of(seat.state)
            if turn is not None:
                self._written.add(robot)
                turns[robot] = turn
            elif robot in self._written:
                self._written.discard(robot)
                turns[robot] = None
        self._noted.clear()
        if turns:
            self._written_s = asyncio.get_running_loop().time()
            self._save(turns)

    def close(self) -> None:
        """Write for the last time: the hub is about to end."""
        self.write()
        self._closed = True


class Leftovers:
    """Turns that an earlier run of the hub was in when it ended.

    A robot that is back within ``wait_s`` of the last sign of its turn may go on with it;
    whatever else was left is committed as far as it was heard.
    """

    def __init__(
        self,
        bus: HubBus,
        store: Store,
        clock: Callable[[], int],
        wait_s: float,
        counters: Counters,
    ) -> None:
        self._bus = bus
        self._store = store
        self._clock = clock
        self._wait_s = wait_s
        self._counters = counters
        self._left: dict[str, Leftover] = {}
        self._since_ns = 0

    async def load(self) -> dict[str, float]:
        """Find what was left; return, by robot, in how many seconds it is to be given up.

        Raises:
            StoreFailed: it cannot be read.
        """
        self._since_ns = self._clock()
        self._left = {left.robot: left for left in await self._store.open_turns()}
        return {robot: max(0.0, self._wait_s - left.age_s) for robot, left in self._left.items()}

    async def claim(self, robot: str, token: str) -> OpenTurn | None:
        """What was left of ``robot``, for the holder of its resume token who is in time; for
        anybody else it is given up."""
        left = self._left.get(robot)
        if left is None:
            return None
        age_s = left.age_s + (self._clock() - self._since_ns) / 1e9
        if token != left.turn.session or age_s > self._wait_s:
            await self.give_up(robot)
            return None
        del self._left[robot]
        self._counters.count("turns_continued_after_restart")
        return left.turn

    async def give_up(self, robot: str) -> None:
        """Nobody came back in time: end the turn, and commit what was heard of it.

        Raises:
            StoreFailed: it cannot be written.
        """
        left = self._left.pop(robot, None)
        if left is None:
            return
        turn = left.turn
        heard = heard_answer(turn.phrases, turn.played_ms)
        self._counters.count("turns_ended_by_restart")
        log.info("turn of an earlier run ended", robot=robot, turn=turn.turn)
        self._bus.publish(
            Envelope(
                robot=robot,
                session=turn.session,
                epoch=turn.epoch,
                turn=turn.turn,
                t_src_ns=self._clock(),
                body=ended_by_restart(turn, heard, turn.played_ms),
            )
        )
        exchange = exchange_of(turn, heard)
        if exchange is None:
            await self._store.keep_open({robot: None})
        else:
            await self._store.append_turn(robot, Record(turn.session, exchange, "interrupted"))


def open_turn_of(state: State) -> OpenTurn | None:
    """The turn under way in ``state``; None if there is none."""
    turn = state.turn
    if turn is None:
        return None
    return OpenTurn(
        session=state.session,
        epoch=state.epoch,
        turn=turn.number,
        priority=turn.claim.priority,
        interruptible=turn.claim.interruptible,
        user=turn.user_text,
        emotion=turn.emotion,
        intensity=turn.intensity,
        rate_hz=turn.rate_hz,
        phrases=turn.phrases,
        played_ms=turn.played_ms,
    )


def played_ms(left: OpenTurn, hello: Hello) -> int:
    """How far the loudspeaker got: as the device says, or as was last written down."""
    playing = hello.playing
    if playing is None or playing.turn != left.turn:
        return left.played_ms
    made_ms = max((w.end_ms for p in left.phrases for w in p.words), default=0)
    return max(left.played_ms, min(playing.samples * 1_000 // left.rate_hz, made_ms))
