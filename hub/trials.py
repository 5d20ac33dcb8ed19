"""Which engines are tried, and what their trials say of this installation. Pure.

A trial is a process of its own (``protocols/trial.py``), so that the crash of one engine, or its
hanging, is one row of a table.
"""

import signal
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hub.engines import ENGINES
from protocols.messages.agent import AgentKind
from protocols.trial import Stage, TrialReport, TrialStep

EARS = ("EARS_BACKEND", ("silero", "silero_single"))
RECORDER = ("RECORDER_BACKEND", ("mcap",))
_ENGINES: Mapping[AgentKind, tuple[str, tuple[str, ...]]] = {
    AgentKind.EARS: EARS,
    **ENGINES,
    AgentKind.RECORDER: RECORDER,
}
"""The setting that names the engine of each kind, and the names there are."""

_NOT_TRIED = frozenset({"auto", "scripted", "off"})
"""Names of choices, of a test's engines and of none."""
_NOT_THERE = frozenset(
    {"backend_unavailable", "llm_model_missing", "image_model_missing", "image_not_installed"}
)
"""Codes of engines that could not be loaded because something of them is missing."""


class Trial(NamedTuple):
    """An engine to be tried. ``agent`` is ``kind`` or ``kind:role``, ``setting`` the variable that
    chooses ``engine``; ``is_configured``: it is what a hub of this configuration would run."""

    agent: str
    setting: str
    engine: str
    is_configured: bool = True

    @property
    def kind(self) -> str:
        return self.agent.partition(":")[0]

    @property
    def environment(self) -> dict[str, str]:
        """What its process is told on top of the settings."""
        role = self.agent.partition(":")[2]
        chosen = {} if self.is_configured else {self.setting: self.engine}
        return {**chosen, **({"HUB_AGENT_ROLE": role} if role else {})}


class Ended(NamedTuple):
    """How a trial's process ended. ``status`` is its exit code, negative for a signal, None if its
    time was over; ``last_words`` is its last line on stderr."""

    report: TrialReport | None
    last_step: TrialStep | None = None
    status: int | None = 0
    last_words: str = ""


class Row(NamedTuple):
    """What is known of an engine. ``present`` is None where that did not come out; numbers are None
    where it did not come so far."""

    kind: str
    engine: str
    model: str
    present: bool | None
    loads_s: float | None
    answer_ms: float | None
    memory_mib: float | None
    note: str
    works: bool
    is_configured: bool


def trials_of(
    agents: Iterable[str], chosen: Mapping[str, str], *, everything: bool = False
) -> tuple[Trial, ...]:
    """The trials for ``agents`` (``kind`` or ``kind:role``), whose engines the settings ``chosen``
    name by their variables; with ``everything`` also every other engine there is.

    A voice that is switched off is not tried.
    """
    agents = tuple(agents)
    trials: list[Trial] = []
    for agent in agents:
        setting, _ = _ENGINES.get(AgentKind(agent.partition(":")[0]), ("", ()))
        engine = "reflex" if agent == "planner:reflex" else chosen.get(setting, "auto")
        if engine != "off":
            trials.append(Trial(agent, setting, engine))
    if everything:
        tried = {(trial.kind, trial.engine) for trial in trials}
        for kind, (setting, names) in _ENGINES.items():
            trials += (
                Trial(kind.value, setting, name, is_configured=False)
                for name in names
                if name not in _NOT_TRIED and (kind, name) not in tried
            )
    return tuple(trials)


def row_of(trial: Trial, ended: Ended, limit_s: float) -> Row:
    """What a trial says of its engine."""
    report = ended.report
    if report is None:
        reached_load = ended.last_step is not None
        return _row(
            trial, TrialReport(stage=Stage.LOAD), reached_load or None, _end(ended, limit_s)
        )
    if report.stage is Stage.DONE:
        return _row(trial, report, True, _remarks(trial, report), works=True)
    return _row(trial, report, _is_present(report), report.error)


def all_work(rows: Sequence[Row]) -> bool:
    """Whether everything that is configured does."""
    return all(row.works for row in rows if row.is_configured)


def document(rows: Sequence[Row]) -> list[dict[str, object]]:
    """``rows`` for a program to read."""
    return [row._asdict() for row in rows]


def _row(
    trial: Trial, report: TrialReport, present: bool | None, note: str, *, works: bool = False
) -> Row:
    found = report.backend if report.backend != "auto" else ""
    engine = trial.engine if found in ("", trial.engine) else f"{trial.engine} → {found}"
    return Row(
        kind=trial.agent,
        engine=engine,
        model=report.model,
        present=present,
        loads_s=_known(report.load_s),
        answer_ms=_known(report.answer_ms),
        memory_mib=_known(report.memory_mib),
        note=note,
        works=works,
        is_configured=trial.is_configured,
    )


def _known(number: float) -> float | None:
    return number if number >= 0 else None


def _is_present(report: TrialReport) -> bool:
    if report.stage in (Stage.SETTINGS, Stage.CHOICE):
        return False
    return report.stage is not Stage.LOAD or report.code not in _NOT_THERE


def _remarks(trial: Trial, report: TrialReport) -> str:
    """What is worth saying of an engine that works."""
    why = report.reason if trial.engine == "auto" else ""
    counted = ", ".join(f"{name} {n}" for name, n in sorted(report.drops.items()))
    return "; ".join(filter(None, (report.note, why, counted and f"counted {counted}")))


def _end(ended: Ended, limit_s: float) -> str:
    """How a process ended that made no report."""
    doing = _doing(ended.last_step)
    if ended.status is None:
        return f"not done after {limit_s:.0f} s{doing}"
    how = _signal(-ended.status) if ended.status < 0 else f"with status {ended.status}"
    said = f": {ended.last_words}" if ended.last_words else ""
    return f"its process ended {how}{doing}{said}"


def _doing(step: TrialStep | None) -> str:
    match step:
        case None:
            return " before it began"
        case TrialStep(stage=Stage.ANSWER):
            return " while it was asked"
        case _:
            return f", {step.step}" if step.step else " while it loaded"


def _signal(number: int) -> str:
    try:
        return f"by {signal.Signals(number).name}"
    except ValueError:
        return f"by signal {number}"
