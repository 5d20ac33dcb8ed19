"""The supervisor process: ``python -m hub.supervise CHILDREN``.

A process of its own, which imports nothing but the standard library: it stands beside the hub for
as long as that lives and must be the last thing to fall over. ``robot-hub run`` checks everything,
then becomes it.
"""

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from hub.console import Console
from hub.degraded import DegradedList
from hub.supervisor import AGENT_GRACE_S, Child, Supervisor

HUB = "hub"


class Order(NamedTuple):
    """What to supervise, as it travels on the command line. ``agents`` are ``kind`` or
    ``kind:role``; ``drain_s`` is how long the hub may take to finish its turns."""

    agents: tuple[str, ...]
    drain_s: float
    prefix: bool = True

    def encoded(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def decoded(cls, text: str) -> "Order":
        fields: dict[str, Any] = json.loads(text)
        return cls(tuple(fields["agents"]), fields["drain_s"], fields["prefix"])


def become_supervisor(order: Order, environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by the supervisor; ``environment`` is what the children will see."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = (sys.executable, "-m", __name__, order.encoded())
    os.execve(command[0], command, dict(environment))


def children(order: Order, environment: Mapping[str, str]) -> list[Child]:
    """The hub and its agents as processes."""
    started = [Child(HUB, (sys.executable, "-m", "hub"), environment, essential=True)]
    for agent in order.agents:
        kind, _, role = agent.partition(":")
        its_own = {"HUB_AGENT_ROLE": role} if role else {}
        command = (sys.executable, "-m", f"agents.{kind}")
        started.append(Child(agent, command, {**environment, **its_own}))
    return started


async def supervise(supervisor: Supervisor) -> int:
    """Run ``supervisor`` under this process's signals; return the exit code."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, supervisor.on_signal, number)
    try:
        return await supervisor.run()
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def main(arguments: Sequence[str]) -> int:
    """Supervise what ``arguments`` order until told to stop; return the exit code."""
    order = Order.decoded(arguments[0])
    environment = os.environ  # noqa: TID251 - made by ``robot-hub run``, and handed on whole
    kept = children(order, environment)
    console = Console(
        sys.stderr,
        [child.name for child in kept] + ["run"],
        colour=sys.stderr.isatty(),
        prefix=order.prefix,
    )
    degraded = DegradedList(Path(environment["HUB_DATA_DIR"]))
    degraded.clear()
    supervisor = Supervisor(
        kept, console, degraded=degraded.note, hub_grace_s=order.drain_s + AGENT_GRACE_S
    )
    gc.collect()
    gc.freeze()  # what is loaded by now stays for good
    try:
        return asyncio.run(supervise(supervisor))
    finally:
        degraded.clear()
        console.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
