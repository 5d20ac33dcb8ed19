"""``python -m agents.runtime.settings_report``: what the agents of this installation can be told, and
what they are told by this process's environment; JSON on stdout, see ``protocols/setting.py``.
"""

import sys
from importlib import import_module
from importlib.util import find_spec

import msgspec
from pydantic import AliasChoices, ValidationError
from pydantic.fields import FieldInfo

from agents.runtime.settings import AgentSettings
from protocols.messages.agent import AgentKind
from protocols.setting import SettingsReport, rows_of


def reports() -> list[SettingsReport]:
    """One for each kind of agent that there is."""
    return [report(kind) for kind in AgentKind if find_spec(f"agents.{kind}") is not None]


def report(kind: AgentKind) -> SettingsReport:
    """The settings of one kind; a kind whose code cannot be imported says so."""
    try:
        module = import_module(f"agents.{kind}.settings")
    except ImportError as error:
        return SettingsReport(reader=kind, problem=str(error))
    (settings,) = (
        found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, AgentSettings)
        and found.__module__ == module.__name__
    )
    return report_of(kind, settings)


def report_of(kind: AgentKind, settings: type[AgentSettings]) -> SettingsReport:
    """The settings of the agent ``kind`` whose model is ``settings``."""
    values: dict[str, object] = {}
    problems: dict[str, str] = {}
    problem = ""
    try:
        values = dict(settings())  # type: ignore[call-arg] # the environment has them
    except ValidationError as error:
        for found in error.errors(include_url=False, include_input=False):
            if found["loc"]:
                problems[str(found["loc"][0])] = found["msg"].removeprefix("Value error, ")
            else:
                problem = found["msg"].removeprefix("Value error, ")
    rows = rows_of(settings, values, names_of, problems)
    return SettingsReport(reader=kind, rows=rows, problem=problem)


def names_of(name: str, field: FieldInfo) -> tuple[str, ...]:
    """The environment names of a field."""
    match field.validation_alias:
        case str(alias):
            return (alias,)
        case AliasChoices(choices=choices):
            return tuple(str(choice) for choice in choices)
        case _:
            return (name.upper(),)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(reports()))
