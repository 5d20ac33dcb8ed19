"""The process supervisor over real, tiny processes."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.degraded import DegradedList, read_degraded
from hub.restarts import Degraded, Restart, Run, Verdict
from hub.supervisor import Child, Supervisor, describe

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who is alive")

FOREVER = "import signal; print('up', flush=True); signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); signal.pause(); signal.pause()"
)


class Transcript:
    """What was said by whom; lets a test wait for a line."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self._news.set()

    async def has(self, name: str, text: str, times: int = 1) -> str:
        async with asyncio.timeout(10):
            while True:
                found = [line for who, line in self.lines if who == name and text in line]
                if len(found) >= times:
                    return found[times - 1]
                self._news.clear()
                await self._news.wait()


def child(name: str, code: str, essential: bool = False) -> Child:
    return Child(name, (sys.executable, "-I", "-S", "-c", code), {"HOME": "/"}, essential)


def at_once(history: Sequence[Run], now_s: float) -> Verdict:
    return Degraded(None) if history[-1].code == 2 else Restart(now_s)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def dies(pid: int) -> None:
    """Wait for a process that was killed: the kernel takes its moment."""
    async with asyncio.timeout(5):
        while is_alive(pid):  # noqa: ASYNC110 - there is no event for a grandchild
            await asyncio.sleep(0.01)


async def test_an_agent_that_crashes_is_started_again_while_the_others_go_on() -> None:
    said = Transcript()
    crashing = "import sys; print('up', flush=True); sys.exit(3)"
    supervisor = Supervisor(
        [child("hub", FOREVER, essential=True), child("stt", crashing)], said, decide=at_once
    )

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor.run())
        await said.has("stt", "up", times=3)
        await said.has("hub", "up")
        supervisor.stop()

    assert running.result() == 0
    assert ("run", "stt ended with exit code 3; restarting in 0 s") in said.lines
    assert [line for line in said.lines if line[0] == "hub"] == [("hub", "up")]


async def test_a_misconfigured_agent_is_left_alone_and_its_last_words_are_shown() -> None:
    said = Transcript()
    broken = "import sys; print('loading'); print('no engine', file=sys.stderr); sys.exit(2)"
    supervisor = Supervisor(
        [child("hub", FOREVER, essential=True), child("tts", broken)], said, decide=at_once
    )

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor.run())
        line = await said.has("run", "tts")
        await said.has("hub", "up")
        supervisor.stop()

    assert line == "tts ended with exit code 2 and is not restarted; degraded: no engine"


async def test_who_looks_at_the_hub_learns_what_is_degraded_and_why(tmp_path: Path) -> None:
    said, degraded = Transcript(), DegradedList(tmp_path)
    broken = "import sys; sys.exit('no engine')"
    starts: list[dict[str, str]] = []

    def twice(history: Sequence[Run], now_s: float) -> Verdict:
        starts.append(read_degraded(tmp_path))
        return Degraded(now_s if len(starts) < 2 else None)

    supervisor = Supervisor(
        [child("hub", FOREVER, essential=True), child("tts", broken)],
        said,
        degraded=degraded.note,
        decide=twice,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor.run())
        await said.has("run", "tts", times=2)
        await said.has("hub", "up")
        supervisor.stop()

    assert starts == [{}, {}]  # while it is tried it is not known to be degraded
    assert read_degraded(tmp_path) == {"tts": "ended with exit code 1: no engine"}
    degraded.clear()
    assert read_degraded(tmp_path) == {}


def test_a_list_that_cannot_be_read_or_written_is_an_empty_one(tmp_path: Path) -> None:
    DegradedList(tmp_path / "missing").note("tts", "crashed")
    assert read_degraded(tmp_path / "missing") == {}
    (tmp_path / "degraded.json").write_text("{half a li")
    assert read_degraded(tmp_path) == {}


async def test_a_misconfigured_hub_ends_everything_with_its_exit_code() -> None:
    said = Transcript()
    supervisor = Supervisor(
        [child("hub", "import sys; sys.exit(2)", essential=True), child("stt", FOREVER)], said
    )

    async with asyncio.timeout(10):
        assert await supervisor.run() == 2


async def test_a_degraded_agent_is_on_trial_when_it_is_tried_again() -> None:
    said = Transcript()
    histories: list[tuple[Run, ...]] = []

    def keep_trying(history: Sequence[Run], now_s: float) -> Verdict:
        histories.append(tuple(history))
        return Degraded(now_s)

    supervisor = Supervisor(
        [
            child("hub", FOREVER, essential=True),
            child("stt", "import sys; print('up'); sys.exit(1)"),
        ],
        said,
        decide=keep_trying,
    )

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor.run())
        await said.has("stt", "up", times=3)
        supervisor.stop()

    assert [run.on_trial for run in histories[1]] == [False, True]


async def test_the_hub_is_drained_before_its_agents_are_told() -> None:
    said = Transcript()
    farewell = """
        import os, signal, sys, time
        def leave(*_):
            os.write(1, b"told\\n"); time.sleep(0.1); os.write(1, b"left\\n"); sys.exit(0)
        signal.signal(signal.SIGTERM, leave)
        os.write(1, b"up\\n")
        signal.pause()
        """
    code = textwrap.dedent(farewell)
    supervisor = Supervisor([child("ears", code), child("hub", code, essential=True)], said)

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor.run())
        await said.has("ears", "up")
        await said.has("hub", "up")
        supervisor.on_signal(signal.SIGTERM)

    assert running.result() == 0
    assert [line for line in said.lines if line[1] in ("told", "left")] == [
        ("hub", "told"),
        ("hub", "left"),
        ("ears", "told"),
        ("ears", "left"),
    ]


async def test_who_does_not_leave_within_its_grace_is_ended() -> None:
    said = Transcript()
    supervisor = Supervisor(
        [child("hub", DEAF, essential=True), child("stt", DEAF)],
        said,
        hub_grace_s=0.05,
        agent_grace_s=0.05,
    )

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor.run())
        await said.has("hub", "up")
        await said.has("stt", "up")
        supervisor.stop()

    assert running.result() == 0


async def test_a_second_signal_ends_everything_at_once() -> None:
    said = Transcript()
    supervisor = Supervisor([child("hub", DEAF, essential=True)], said, hub_grace_s=60)

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor.run())
        await said.has("hub", "up")
        supervisor.on_signal(signal.SIGINT)
        supervisor.on_signal(signal.SIGINT)

    assert running.result() == 128 + signal.SIGINT


async def test_what_a_crashed_child_had_started_goes_with_it() -> None:
    said = Transcript()
    parent = f"""
        import subprocess, sys
        left = subprocess.Popen([sys.executable, "-I", "-S", "-c", {DEAF!r}])
        print(left.pid, flush=True); sys.exit(1)
        """
    supervisor = Supervisor(
        [child("hub", FOREVER, essential=True), child("stt", textwrap.dedent(parent))],
        said,
        decide=lambda history, now_s: Degraded(None),
    )

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor.run())
        await said.has("run", "stt ended with exit code 1")
        supervisor.stop()

    orphan = next(int(line) for name, line in said.lines if name == "stt" and line.isdigit())
    await dies(orphan)


async def test_a_cancelled_supervisor_leaves_no_process_behind() -> None:
    said = Transcript()
    telling = f"import os; print(os.getpid(), flush=True); {DEAF}"
    supervisor = Supervisor([child("hub", telling, essential=True)], said)

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor.run())
        await said.has("hub", "up")
        running.cancel()

    assert not is_alive(int(said.lines[0][1]))


async def test_children_die_with_a_supervisor_that_is_killed() -> None:
    script = f"""
        import asyncio, sys
        from hub.supervise import supervise
        from hub.supervisor import Child, Supervisor
        telling = "import os; print(os.getpid(), flush=True); " + {DEAF!r}
        hub = Child("hub", (sys.executable, "-I", "-S", "-c", telling), {{}}, essential=True)
        say = lambda name, line: print(line, flush=True)
        asyncio.run(supervise(Supervisor([hub], say)))
        """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert process.stdout is not None
    with process, process.stdout as lines:
        pid = int(lines.readline())
        assert lines.readline() == "up\n"
        gone = os.pidfd_open(pid)
        process.kill()

        async with asyncio.timeout(10):
            ended = asyncio.Event()
            asyncio.get_running_loop().add_reader(gone, ended.set)
            await ended.wait()
        asyncio.get_running_loop().remove_reader(gone)
        os.close(gone)


async def test_output_is_cut_into_lines_whatever_the_pipe_makes_of_it() -> None:
    said = Transcript()
    talking = (
        "import sys, signal; sys.stdout.buffer.write(b'caf\\xc3\\xa9 \\xff\\n\\nhalf'); "
        "sys.stdout.flush(); sys.stdout.buffer.write(b' a line\\n' + b'x' * 40000); sys.exit(2)"
    )
    supervisor = Supervisor([child("hub", talking, essential=True)], said)

    async with asyncio.timeout(10):
        await supervisor.run()

    lines = [line for name, line in said.lines if name == "hub"]
    assert lines[:2] == ["café \ufffd", "half a line"]
    assert "".join(lines[2:]) == "x" * 40000


def test_a_killed_process_is_described_by_its_signal() -> None:
    assert (
        describe("stt", -11, "", Restart(10.25), now_s=10.0)
        == "stt was ended by SIGSEGV; restarting in 0.25 s"
    )
    assert (
        describe("stt", 1, "out of memory", Degraded(70.0), now_s=10.0)
        == "stt ended with exit code 1 too often; degraded, trying again in 60 s: out of memory"
    )
