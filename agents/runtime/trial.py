"""An agent's process that only tries its engine: build it from its settings, load it, let it do one
small piece of work, say how that went, and leave. No hub is needed or touched.

Whatever goes wrong is an answer, not an end: the report says how far it came.
"""

import asyncio
import os
import sys
import time
import traceback
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from agents.runtime.errors import BackendUnavailable, BadSettings
from agents.runtime.life import Agent
from agents.runtime.log import configure_logs
from agents.runtime.peak import peak_mib
from agents.runtime.progress import reporting_to
from agents.runtime.settings import AgentSettings, load
from agents.runtime.trial_work import LISTENING, WORKS, drops_of
from protocols.errors import HubError
from protocols.messages.agent import AgentKind, AgentProgress
from protocols.messages.audio import MIC_RATE_HZ
from protocols.trial import TRY, Stage, TrialLine, TrialReport, TrialStep, encode_line

FAILED = 1
"""Exit code where the engine could not be built, loaded or asked."""

_WAITING = "waiting for "
"""How a backend's progress begins while it is started again and again, until its server is there."""

S = TypeVar("S", bound=AgentSettings)
Tell = Callable[[TrialLine], None]
Loop = Callable[[], asyncio.AbstractEventLoop] | None


def run_trial(
    kind: AgentKind,
    settings: type[S],
    build: Callable[[S], Agent],
    arguments: Sequence[str],
    loop_factory: Loop = None,
) -> int:
    """Try the engine that ``settings`` name and write what comes of it to stdout, as
    ``protocols/trial.py`` has it; return the exit code. ``arguments`` are those of the process.

    What engines print by themselves goes to stderr.
    """
    tell = _teller(_own_stdout())
    try:
        chosen = load(settings)
        configure_logs(chosen.log_level, json=chosen.log_json)
        sound = _recording(kind, arguments)
    except BadSettings as error:
        tell(_failed(TrialReport(stage=Stage.SETTINGS), error))
        return FAILED
    try:
        agent = build(chosen)
    except Exception as error:
        tell(_failed(TrialReport(stage=Stage.CHOICE), error))
        return FAILED
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return 0 if runner.run(Trial(kind, tell).run(agent, sound)) else FAILED


class Trial:
    """One trial of an agent of ``kind``; ``tell`` takes its lines, from any thread."""

    def __init__(self, kind: AgentKind, tell: Tell) -> None:
        self._kind = kind
        self._tell = tell
        self._stage = Stage.LOAD
        self._patience: asyncio.Timeout | None = None
        self._waits_for = ""

    async def run(self, agent: Agent, sound: bytes) -> bool:
        """Load, work, report, and only then free the engine: a report is not lost by an engine
        that cannot be closed. Return whether all went well."""
        async with asyncio.TaskGroup() as tasks:
            with reporting_to(self._progress_reporter()):
                slot = tasks.create_task(agent.slot.run()) if agent.slot is not None else None
                report = await self._reported(agent, sound)
            self._tell(report)
            if slot is not None:
                slot.cancel()
        await agent.backend.close()
        return report.stage is Stage.DONE

    async def _reported(self, agent: Agent, sound: bytes) -> TrialReport:
        report = TrialReport(stage=Stage.DONE, backend=agent.backend.name)
        try:
            report = await self._loaded(agent, report)
            report = await self._worked(agent, sound, report)
        except Exception as error:
            report = _failed(_with(report, stage=self._stage), error)
        return _with(report, memory_mib=round(peak_mib(), 1), drops=drops_of(agent))

    async def _loaded(self, agent: Agent, report: TrialReport) -> TrialReport:
        self._tell(TrialStep(stage=Stage.LOAD))
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(None) as self._patience:
                await _start(agent)
        except TimeoutError:
            if not self._waits_for:
                raise
            raise BackendUnavailable(self._waits_for) from None
        load_s = time.monotonic() - began_s
        found = agent.loaded() if agent.loaded is not None else agent
        return _with(
            report,
            backend=agent.backend.name,
            model=found.model,
            load_s=round(load_s, 3),
            reason=found.info.get("reason", ""),
        )

    def _progress_reporter(self) -> Callable[[AgentProgress], None]:
        loop = asyncio.get_running_loop()

        def told(progress: AgentProgress) -> None:
            self._tell(_step(progress))
            if progress.step.startswith(_WAITING):
                loop.call_soon_threadsafe(self._give_up, progress.step.removeprefix(_WAITING))

        return told

    def _give_up(self, waits_for: str) -> None:
        """A backend would be started again and again until its server is there: once is enough."""
        if self._patience is not None and not self._waits_for:
            self._waits_for = waits_for
            self._patience.reschedule(asyncio.get_running_loop().time())

    async def _worked(self, agent: Agent, sound: bytes, report: TrialReport) -> TrialReport:
        work = WORKS.get(self._kind)
        if work is None:
            return report
        self._stage = Stage.ANSWER
        self._tell(TrialStep(stage=Stage.ANSWER))
        answer = await work(agent, sound)
        return _with(report, answer_ms=round(answer.ms, 1), note=answer.note)


async def _start(agent: Agent) -> None:
    """Load the engine, also one that would be loaded when it is first needed."""
    await agent.backend.start()
    if agent.slot is not None:
        async with agent.slot.lease():
            pass


def _own_stdout() -> BinaryIO:
    """The real stdout, for nobody but this module."""
    sys.stdout.flush()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return out


def _teller(out: BinaryIO) -> Tell:
    def tell(line: TrialLine) -> None:
        out.write(encode_line(line))
        out.flush()

    return tell


def _recording(kind: AgentKind, arguments: Sequence[str]) -> bytes:
    """The sound in the file that follows ``--try``.

    Raises:
        BadSettings: there is none, and this agent listens; or it is of another format.
    """
    if kind not in LISTENING:
        return b""
    after = list(arguments[arguments.index(TRY) + 1 :])
    if not after:
        raise BadSettings(f"{TRY} needs a recording of somebody who speaks")
    path = Path(after[0])
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (
                1,
                2,
                MIC_RATE_HZ,
            ):
                raise BadSettings(f"{path} must be mono, 16 bit, {MIC_RATE_HZ} Hz")
            return file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise BadSettings(f"{path} cannot be read: {error}") from error


def _step(progress: AgentProgress) -> TrialStep:
    return TrialStep(
        stage=Stage.LOAD,
        step=progress.step,
        done=progress.done,
        total=progress.total,
        unit=progress.unit,
    )


def _with(report: TrialReport, **changes: object) -> TrialReport:
    return msgspec.structs.replace(report, **changes)


def _failed(report: TrialReport, error: Exception) -> TrialReport:
    """``report`` of what failed at its stage; the traceback of what nobody foresaw is on stderr."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    said = " ".join(str(error).split())
    if isinstance(error, HubError):
        return _with(report, code=error.code, error=said)
    traceback.print_exception(error)
    return _with(report, code="crashed", error=f"{type(error).__name__}: {said}")
