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

from hub.console import Console, Say, Sink, silent
from hub.degraded import DegradedList
from hub.notify import NOBODY, Notifier, is_alive, report, without_manager
from hub.pidfile import PidFile, Taken, mine
from hub.restarts import MISCONFIGURED
from hub.starts import StartCounts
from hub.supervisor import AGENT_GRACE_S, Child, Supervisor

HUB = "hub"


class Order(NamedTuple):
    """What to supervise, as it travels on the command line. ``agents`` are ``kind`` or
    ``kind:role``; ``drain_s`` is how long the hub may take to finish its turns; ``url`` is where it
    will answer. With ``log``, output goes there and not to stderr: ``log_files`` older ones of
    ``log_max_bytes`` are kept. ``given`` are the settings of the command line."""

    agents: tuple[str, ...]
    drain_s: float
    prefix: bool = True
    url: str = ""
    log: str = ""
    log_max_bytes: int = 0
    log_files: int = 0
    given: Mapping[str, str] = {}

    def encoded(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def decoded(cls, text: str) -> "Order":
        fields: dict[str, Any] = json.loads(text)
        return cls(**{**fields, "agents": tuple(fields["agents"])})


def command_of(order: Order) -> tuple[str, ...]:
    """The command line of its supervisor."""
    return (sys.executable, "-m", __name__, order.encoded())


def become_supervisor(order: Order, environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by the supervisor; ``environment`` is what the children will see."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = command_of(order)
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


async def supervise(
    supervisor: Supervisor, notifier: Notifier = NOBODY, url: str = "", say: Say = silent
) -> int:
    """Run ``supervisor`` under this process's signals, and tell the service manager how it goes;
    return the exit code."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def on_signal(number: signal.Signals) -> None:
        notifier.tell(STOPPING="1", STATUS="stopping")
        supervisor.on_signal(number)

    for number in numbers:
        loop.add_signal_handler(number, on_signal, number)
    try:
        async with asyncio.TaskGroup() as tasks:
            reporter = tasks.create_task(report(notifier, lambda: is_alive(url), url, say))
            code = await supervisor.run()
            reporter.cancel()
        return code
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def main(arguments: Sequence[str]) -> int:
    """Supervise what ``arguments`` order until told to stop; return the exit code."""
    order = Order.decoded(arguments[0])
    environment = os.environ  # noqa: TID251 - made by ``robot-hub run``, and handed on whole
    data_dir = Path(environment["HUB_DATA_DIR"])
    pid_file = PidFile(data_dir)
    try:
        pid_file.sign(
            mine(url=order.url, log=order.log, drain_s=order.drain_s, given=dict(order.given))
        )
    except Taken as error:
        sys.stderr.write(f"{error}\n")
        return MISCONFIGURED
    except OSError as error:  # a full disk costs `robot-hub stop`, nothing else
        sys.stderr.write(f"the pid file of {data_dir} cannot be written: {error.strerror}\n")
    return _kept_running(order, data_dir, environment, pid_file)


def _kept_running(
    order: Order, data_dir: Path, environment: Mapping[str, str], pid_file: PidFile
) -> int:
    kept = children(order, without_manager(environment))
    out: Sink = sys.stderr
    if order.log:
        from hub.log_file import LogFile

        out = LogFile(Path(order.log), order.log_max_bytes, order.log_files)
    console = Console(
        out,
        [child.name for child in kept] + ["run"],
        colour=not order.log and sys.stderr.isatty(),
        prefix=order.prefix,
    )
    degraded, starts = DegradedList(data_dir), StartCounts(data_dir)
    degraded.clear()

    def note(name: str, why: str) -> None:
        """A child is given up for now, or, without a reason, is just being started."""
        degraded.note(name, why)
        if not why:
            starts.count(name)

    supervisor = Supervisor(kept, console, degraded=note, hub_grace_s=order.drain_s + AGENT_GRACE_S)
    notifier = Notifier.of(environment, os.getpid())
    gc.collect()
    gc.freeze()  # what is loaded by now stays for good
    try:
        return asyncio.run(supervise(supervisor, notifier, order.url, console))
    finally:
        degraded.clear()
        starts.clear()
        console.close()
        pid_file.clear()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
