"""An agent as a process: settings → backend → services → bus, until it is told to leave.

``python -m agents.<kind>`` is one call::

    def build(settings: SttSettings) -> Agent:
        backend = choose(settings)
        return Agent(backend, (Stt(backend),), capacity=backend.capacity)

    if __name__ == "__main__":
        run_agent(AgentKind.STT, SttSettings, build)
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn, TypeVar

from agents.runtime.bus.zmq import ZmqAgentBus
from agents.runtime.errors import BackendUnavailable, BadSettings
from agents.runtime.life import Agent, AgentProcess, Loaded, hello_of
from agents.runtime.log import configure_logs
from agents.runtime.settings import AgentSettings, load
from agents.runtime.trial import run_trial
from protocols.heap import Heap
from protocols.messages.agent import AgentKind
from protocols.trial import TRY

__all__ = ["Agent", "Loaded", "run_agent"]

CANNOT_WORK = 2
"""Exit code of a process that lacks what it needs; starting it again would not help."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

S = TypeVar("S", bound=AgentSettings)


def run_agent(kind: AgentKind, settings: type[S], build: Callable[[S], Agent]) -> NoReturn:
    """Run an agent from its environment; does not return.

    The exit code is 0 after a drain or a minute without a hub, 2 where the process cannot do its
    work (``BadSettings``, ``BackendUnavailable`` from ``build`` or ``start``, with one sentence
    on stderr), 1 with a traceback for anything else. With ``--try`` it only tries its engine.
    """
    if TRY in sys.argv:
        sys.exit(run_trial(kind, settings, build, sys.argv, _loop_factory()))
    try:
        chosen = load(settings)
        configure_logs(chosen.log_level, json=chosen.log_json)
        agent = build(chosen)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_live(kind, chosen, agent))
    except (BadSettings, BackendUnavailable) as error:
        sys.stderr.write(f"{kind}: {error}\n")
        sys.exit(CANNOT_WORK)
    sys.exit(0)


async def _live(kind: AgentKind, settings: AgentSettings, agent: Agent) -> None:
    pid = os.getpid()
    hello = hello_of(kind, settings.role, agent, pid)
    bus = ZmqAgentBus(settings.bus_dir, f"{kind}-{settings.role}-{pid}", hello)
    heap = Heap()
    process = AgentProcess(
        bus,
        agent,
        clock=time.monotonic_ns,
        started=heap.settle,
        beating=heap.look,
        hello=hello,
    )
    loop = asyncio.get_running_loop()

    told = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        """The first signal drains; from then on signals do what they do to any process."""
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        if told.is_set():  # it came together with the first
            signal.raise_signal(number)
        told.set()
        process.drain(number.name)

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    await process.run()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed: it halves what asyncio's own loop costs."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
