"""Virtual time: an event loop whose clock jumps to the next timer when nothing is ready.

A conversation of thirty seconds runs in milliseconds, in the same order every time::

    @virtual
    async def test_a_second_passes_at_once() -> None:
        await asyncio.sleep(1)

What would wait for ever fails at once with :class:`Hang`. Threads, sockets and processes do not
exist here: ``run_in_executor`` (and so ``asyncio.to_thread``) runs its function on the spot.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

START_S = 1_000.0
"""Where the virtual clock begins: not 0, which many a field uses for "never"."""
LIMIT_S = 3_600.0
"""How long a test may take in virtual time; a heartbeat alone would keep it alive for ever."""
SPIN_LIMIT = 100_000
"""Rounds of the loop at one instant after which the test counts as spinning."""


class Hang(AssertionError):
    """Nothing that is awaited will ever happen."""


class _JumpingSelector(selectors.BaseSelector):
    """Never waits: where a real selector would sleep, the clock moves instead."""

    def __init__(self) -> None:
        self._files = selectors.SelectSelector()
        self.now = START_S
        self.limit = START_S + LIMIT_S
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Hang("every task waits and no timer is set")
        if timeout > 0:
            self._rounds = 0
            self.now += timeout
        self._rounds += 1
        # What is found once leaves room to cancel what waits: the limits begin anew.
        if self.now > self.limit:
            self.limit = self.now + LIMIT_S
            raise Hang(f"not done after {LIMIT_S:.0f} s of virtual time")
        if self._rounds > SPIN_LIMIT:
            self._rounds = 0
            raise Hang(f"spinning at {self.now - START_S:.3f} s")
        return []

    # The loop's own wake-up socket is all that is ever registered, and nobody is asleep to be woken.

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._files.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._files.unregister(fileobj)

    def get_map(self) -> Any:
        return self._files.get_map()

    def close(self) -> None:
        self._files.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on a clock of its own; two runs of one program do the same."""

    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now

    def skip(self, seconds: float) -> None:
        """Move the clock; what has fallen due meanwhile runs late."""
        self._clock.now += seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run ``func`` now and return its result as a future that is done."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run ``coroutine`` to its end in virtual time.

    Raises:
        Hang: it waits for what cannot happen, spins, or takes longer than ``LIMIT_S``.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


def virtual(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Make a test of a coroutine function that runs in virtual time.

    Fixtures work as always, except asynchronous ones, which would live on another loop.
    """

    @functools.wraps(test)
    def in_virtual_time(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(test(*args, **kwargs))

    return in_virtual_time


def clock_ns() -> int:
    """The running loop's time in nanoseconds: the clock to inject in virtual time."""
    return round(asyncio.get_running_loop().time() * 1e9)


def stand_still(seconds: float) -> None:
    """Let time pass without the loop: its process was stopped, or its machine suspended."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.skip(seconds)


async def settle(rounds: int = 50) -> None:
    """Let everything happen that needs no time to pass."""
    for _ in range(rounds):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], within_s: float = 60.0) -> None:
    """Wait, in steps of a millisecond, until ``condition()`` holds.

    Raises:
        Hang: it does not hold ``within_s`` from now.
    """
    for _ in range(round(within_s * 1_000)):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise Hang(f"the condition did not come true within {within_s} s")


def names(items: Iterable[object]) -> list[str]:
    """The class names of ``items``, for comparing a sequence of messages at a glance."""
    return [type(item).__name__ for item in items]
