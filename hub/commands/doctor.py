"""``robot-hub doctor``: tries every configured engine and shows a table of what came of it.

No hub need run, and one that runs is not touched: trials use neither its bus nor its data. Nothing
is fetched: an engine whose model is missing is one whose model is missing.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from hub.commands.client import Address, answers
from hub.commands.run import agents_to_start, with_orpheus_policy
from hub.commands.simulator import recording
from hub.commands.trying import command_of, watched
from hub.gpu import Gpu, GpuProbe, Nvml, first_visible
from hub.settings import Settings, SettingsError
from hub.trials import Row, Trial, all_work, document, row_of, trials_of
from protocols.trial import Stage, TrialStep

LIMIT_S = 300.0
"""How long one engine may take to load and answer: vLLM compiles before it does."""

WORKS, FAILS = 0, 1
WIDE = 140
"""Columns of a terminal that has room for the notes inside the table."""

_FETCH_NOTHING: Mapping[str, str] = {
    "STT_DOWNLOAD": "0",
    "AUTO_PULL_OLLAMA_MODEL": "0",
    "HF_HUB_OFFLINE": "1",
}
_RECORDING = "what_can_you_do.wav"


def doctor(
    settings: Settings,
    console: Console,
    *,
    everything: bool = False,
    as_json: bool = False,
    limit_s: float = LIMIT_S,
    probe: GpuProbe | None = None,
) -> int:
    """Try the engines and print what came of it on ``console``; return the exit code: 0 if all that
    is configured works, 1 if not.

    Args:
        everything: try every engine that this installation has, too.
        as_json: print a JSON document instead of tables.
        limit_s: for each engine.

    Raises:
        SettingsError: an agent cannot read its settings.
    """
    probe = probe or Nvml()
    reading = probe.read()
    gpu = first_visible(reading.gpus, settings.visible_gpus)
    settings = with_orpheus_policy(settings, probe)
    trials = trials_of(agents_to_start(settings), settings.engines, everything=everything)
    rows = _tried(trials, settings, limit_s)
    if as_json:
        body = {"works": all_work(rows), "engines": document(rows), "gpu": _gpu(settings, gpu)}
        console.print_json(json.dumps(body))
    else:
        _show(rows, console)
        console.print(gpu_sentence(settings, gpu, reading.why), highlight=False)
        if answers(Address.of(settings, None)):
            console.print(
                "A hub is running here: these trials shared the machine with its engines."
            )
        console.print("Nothing was fetched.", style="dim")
    return WORKS if all_work(rows) else FAILS


def gpu_sentence(settings: Settings, gpu: Gpu | None, why_none: str) -> str:
    """What there is for engines that run on a GPU, and what they have declared to take of it."""
    if gpu is None:
        return f"GPU: none that can be measured ({why_none or 'none is visible'})."
    shares = " + ".join(f"{share.setting} {share.part:.2f}" for share in settings.gpu_shares)
    return (
        f"GPU: {gpu.name}, {gpu.free_gb:.1f} of {gpu.total_gb:.1f} GiB free; "
        f"declared: {shares or 'nothing'}, of {settings.gpu_utilization_cap:.2f} at the most; "
        f"Orpheus: {settings.orpheus_policy.reason}."
    )


def _tried(trials: Sequence[Trial], settings: Settings, limit_s: float) -> list[Row]:
    rows: list[Row] = []
    spinner = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="robot-hub-doctor-") as folder:
        environment = {
            **settings.child_environment(),
            **_FETCH_NOTHING,
            "HUB_BUS_DIR": folder,
            "RECORDER_DIR": f"{folder}/traces",
            "MEMORY_DIR": f"{folder}/memory",
            "FEELINGS_DIR": f"{folder}/feelings",
            "HUB_LOG_LEVEL": "WARNING",
        }
        for trial in trials:
            with spinner.status(f"{trial.agent}: {trial.engine}") as status:

                def show(step: TrialStep, trial: Trial = trial, status: Status = status) -> None:
                    status.update(escape(_doing(trial, step)))

                command = command_of(trial, recording(_RECORDING))
                told_more = {**environment, **trial.environment}
                ended = watched(command, told_more, limit_s, show)
            if ended.report is not None and ended.report.stage is Stage.SETTINGS:
                raise SettingsError(f"{trial.agent}: {ended.report.error}")
            rows.append(row_of(trial, ended, limit_s))
    return rows


def _doing(trial: Trial, step: TrialStep) -> str:
    what = step.step or ("is asked" if step.stage is Stage.ANSWER else "loads")
    share = f", {step.done / step.total:.0%}" if step.total else ""
    return f"{trial.agent}: {trial.engine} {what}{share}"


def _show(rows: Sequence[Row], console: Console) -> None:
    """The table; where it would be squeezed, its notes stand below it."""
    is_wide = console.width >= WIDE
    console.print(_table(rows, notes=is_wide))
    for row in rows:
        if row.note and not is_wide:
            console.print(f"{row.kind} {row.engine}: {row.note}", markup=False, highlight=False)


def _table(rows: Sequence[Row], *, notes: bool) -> Table:
    table = Table()
    for name in ("kind", "engine", "model", "present"):
        table.add_column(name, overflow="fold")
    for name in ("loads (s)", "first answer (ms)", "memory (MiB)"):
        table.add_column(name, justify="right")
    if notes:
        table.add_column("note", overflow="fold")
    for row in rows:
        colour = "green" if row.works else "red" if row.is_configured else "dim"
        present = {True: "yes", False: "no", None: "?"}[row.present]
        table.add_row(
            row.kind,
            f"[{colour}]{escape(row.engine)}[/]",
            escape(row.model),
            present,
            _number(row.loads_s, 2),
            _number(row.answer_ms, 0),
            _number(row.memory_mib, 0),
            *([escape(row.note)] if notes else []),
        )
    return table


def _number(number: float | None, digits: int) -> str:
    return "" if number is None else f"{number:.{digits}f}"


def _gpu(settings: Settings, gpu: Gpu | None) -> dict[str, Any]:
    return {
        "name": gpu.name if gpu is not None else None,
        "free_gb": round(gpu.free_gb, 2) if gpu is not None else None,
        "total_gb": round(gpu.total_gb, 2) if gpu is not None else None,
        "shares": {share.setting: share.part for share in settings.gpu_shares},
        "cap": settings.gpu_utilization_cap,
        "orpheus": settings.orpheus_policy.reason,
    }
