"""All settings of all processes as one list: what each is, and where that comes from. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hub.setting_meanings import MEANINGS
from protocols.setting import SettingRow, SettingsReport, shown

COMMAND_LINE, ENVIRONMENT, DOTENV = "command line", "environment", ".env"
DEFAULT, DERIVED, NOWHERE = "default", "other settings", "read by nobody"

INTERNAL = frozenset({"HUB_AGENT_ROLE", "HUB_ORPHEUS_POLICY"})
"""Said by one process to another; not for people to set."""


class Told(NamedTuple):
    """What was said from outside, by upper-case name: settings of the command line, the
    environment, ``.env``; in this order the first counts."""

    given: Mapping[str, str]
    environment: Mapping[str, str]
    dotenv: Mapping[str, str]

    def source(self, name: str) -> str:
        """Where the value of ``name`` comes from; empty if nobody says it. An empty one counts as
        not said."""
        places = zip((COMMAND_LINE, ENVIRONMENT, DOTENV), self, strict=True)
        return next((place for place, said in places if said.get(name)), "")

    def text(self, name: str) -> str:
        """What was said of ``name``."""
        return next((said[name] for said in self if said.get(name)), "")


class Line(NamedTuple):
    """One name. ``readers`` are the processes that read it."""

    name: str
    value: str
    source: str
    default: str
    meaning: str
    readers: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    problem: str = ""


def lines_of(
    reports: Sequence[SettingsReport], told: Told, known: Iterable[str] = ()
) -> list[Line]:
    """A line for every name, in the order of ``reports``; one that several processes read stands
    where the first of them has it. Names that are only ``known`` come last, if they are set."""
    found: dict[str, Line] = {}
    for report in reports:
        is_broken = bool(report.problem) or any(row.problem for row in report.rows)
        for row in report.rows:
            for name in row.names:
                line = _line(name, row, report.reader, told, is_broken=is_broken)
                found[name] = _merged(found[name], line) if name in found else line
    for name in sorted(set(known) - found.keys()):
        if told.source(name):
            text = shown(told.text(name), secret=True)
            found[name] = Line(name, text, told.source(name), "", NOWHERE)
    return list(found.values())


def problems_of(reports: Iterable[SettingsReport]) -> list[str]:
    """A sentence for everything that cannot be meant."""
    found: dict[str, None] = {}
    for report in reports:
        for row in report.rows:
            if row.problem:
                found.setdefault(f"{' or '.join(row.names)}: {row.problem}")
        if report.problem:
            found.setdefault(f"{report.reader}: {report.problem}")
    return list(found)


def example_of(lines: Iterable[Line], home: str) -> str:
    """A ``.env`` that says nothing new: every setting with its default, as a comment."""
    text = [
        "# Every setting of Robot Hub and its agents, with its default.",
        "# Copy this file to .env and take the # off the lines that you change;",
        "# `robot-hub settings` shows what is in force, and where it comes from.",
    ]
    reader = ""
    for line in lines:
        if line.name in INTERNAL or not line.readers:
            continue
        if line.readers[0] != reader:
            reader = line.readers[0]
            text += ["", f"# === {reader} ==="]
        choices = f": {', '.join(line.choices)}" if line.choices else ""
        text += ["", f"# {line.meaning}{choices}", f"#{line.name}={_at_home(line.default, home)}"]
    return "\n".join(text) + "\n"


def _line(name: str, row: SettingRow, reader: str, told: Told, *, is_broken: bool) -> Line:
    counts = next((n for n in row.names if told.source(n)), "")
    value, source = row.value, told.source(name)
    if counts and name != counts:
        value = shown(told.text(name), secret=row.secret) if source else row.default
        source = f"{source}; {counts} goes before" if source else DEFAULT
    elif not source:
        source = DEFAULT if value == row.default else DERIVED
    elif is_broken:  # then it could not be read: this is what was written
        value = shown(told.text(name), secret=row.secret)
    meaning = MEANINGS.get(name, row.meaning)
    return Line(name, value, source, row.default, meaning, (reader,), row.choices, row.problem)


def _merged(first: Line, more: Line) -> Line:
    return first._replace(
        readers=(*first.readers, *more.readers),
        value=first.value or more.value,
        source=more.source if not first.value and more.value else first.source,
        meaning=first.meaning or more.meaning,
        choices=first.choices or more.choices,
        problem=first.problem or more.problem,
    )


def _at_home(path: str, home: str) -> str:
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path
