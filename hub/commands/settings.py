"""``robot-hub settings``: what every process of the hub is told, and by whom."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hub import pidfile
from hub.environment import dotenv, environment
from hub.setting_list import DEFAULT, Line, Told, example_of, lines_of, problems_of
from hub.setting_names import likely_misspelt, unknown_names
from hub.settings import KNOWN_NAMES, Settings, SettingsError
from protocols.setting import SettingsReport, rows_of

GOOD, BAD = 0, 1
WIDE = 150
"""Columns of a terminal that has room for what a setting means."""
_TIMEOUT_S = 60.0
_AGENTS = (sys.executable, "-m", "agents.runtime.settings_report")
_decoder = msgspec.json.Decoder(list[SettingsReport])


def show_settings(data_dir: Path | None, console: Console, *, as_json: bool = False) -> int:
    """Print the settings of a hub that would be started here; of one that runs with the data
    directory, those of its command line too. Return the exit code.

    Raises:
        SettingsError: ``.env`` or the agents' settings cannot be read.
    """
    given = {"hub_data_dir": str(data_dir)} if data_dir is not None else {}
    told, hub, settings = _asked(given)
    ran = pidfile.running(settings.hub_data_dir) if settings is not None else None
    if ran is not None and ran.given:
        told, hub, settings = _asked({**ran.given, **given})
    here = {"HUB_BUS_DIR": "bus", **told.dotenv, **told.environment}
    told_agents = settings.child_environment() if settings is not None else here
    reports = [hub, *_agents(told_agents)]
    lines = lines_of(reports, told, KNOWN_NAMES)
    ours = {name for name in told.environment if name.startswith("HUB_")} | told.dotenv.keys()
    wrong = [*unknown_names(ours, KNOWN_NAMES), *problems_of(reports)]
    doubtful = likely_misspelt(told.environment, KNOWN_NAMES)
    if as_json:
        rows = [line._asdict() for line in lines]
        document = {"settings": rows, "problems": wrong, "warnings": doubtful}
        console.print_json(json.dumps(document))
    else:
        console.print(_table(lines, meanings=console.width >= WIDE))
        for sentence in wrong:
            console.print(f"[red]wrong[/]: {escape(sentence)}", highlight=False, soft_wrap=True)
        for sentence in doubtful:
            console.print(f"[yellow]note[/]: {escape(sentence)}", highlight=False, soft_wrap=True)
    return BAD if wrong else GOOD


def example() -> str:
    """The text of ``.env.example``."""
    return example_of(lines_of(defaults_of_all(), Told({}, {}, {})), str(Path.home()))


def defaults_of_all() -> list[SettingsReport]:
    """What the settings of the hub and of all agents are where nobody says anything."""
    nobody = {name: text for name, text in environment().items() if name not in KNOWN_NAMES}
    return [_report({}, {}), *_agents({**nobody, "HUB_BUS_DIR": "bus"})]


def _asked(given: Mapping[str, str]) -> tuple[Told, SettingsReport, Settings | None]:
    """What was said, what the hub makes of it, and its settings if they can be meant."""
    try:
        told = Told(_upper(given), _upper(environment()), _upper(dotenv()))
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        return told, _report({}, _problems(error)), None
    except (OSError, UnicodeError) as error:
        raise SettingsError(f".env cannot be read: {error}") from None
    values = {**dict(settings), "hub_bus_dir": settings.bus_dir}
    return told, _report(values, {}), settings


def _report(values: Mapping[str, object], problems: Mapping[str, str]) -> SettingsReport:
    rows = rows_of(Settings, values, lambda name, _: (name.upper(),), problems)
    return SettingsReport(reader="hub", rows=rows, problem=problems.get("", ""))


def _problems(error: ValidationError) -> dict[str, str]:
    return {
        str(found["loc"][0]) if found["loc"] else "": found["msg"].removeprefix("Value error, ")
        for found in error.errors(include_url=False, include_input=False)
    }


def _agents(told: Mapping[str, str]) -> list[SettingsReport]:
    """What the agents say; a process of theirs is asked, since the hub does not know them."""
    try:
        answer = subprocess.run(
            _AGENTS, env=dict(told), capture_output=True, timeout=_TIMEOUT_S, check=True
        )
        return _decoder.decode(answer.stdout)
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise SettingsError(f"the agents' settings cannot be read: {''.join(last)}") from None
    except (subprocess.TimeoutExpired, OSError, msgspec.DecodeError) as error:
        raise SettingsError(f"the agents' settings cannot be read: {error}") from None


def _upper(said: Mapping[str, str]) -> dict[str, str]:
    return {name.upper(): text for name, text in said.items()}


def _table(lines: list[Line], *, meanings: bool) -> Table:
    table = Table()
    for column in ("setting", "value", "source", "default", "read by"):
        table.add_column(column, overflow="fold")
    if meanings:
        table.add_column("meaning", overflow="fold")
    for line in lines:
        colour = "red" if line.problem else "dim" if line.source == DEFAULT else "bold"
        cells = (line.name, line.value, line.source, line.default, ", ".join(line.readers))
        more = (line.meaning,) if meanings else ()
        table.add_row(*(escape(cell) for cell in (*cells, *more)), style=colour)
    return table
