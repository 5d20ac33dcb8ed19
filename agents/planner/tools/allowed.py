"""Which robot may use which tool: ``robot:server.tool``, with ``*`` for any. Pure."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_RULE = re.compile(r"(\*|[A-Za-z0-9._-]{1,64}):([A-Za-z0-9_-]{1,32})\.(\*|[A-Za-z0-9_./-]{1,128})")
ANY = "*"


class _Rule(NamedTuple):
    robot: str
    server: str
    tool: str


class Allowed:
    """What ``MCP_ALLOW`` says. Without a rule nothing is allowed."""

    def __init__(self, rules: Iterable[str] = ()) -> None:
        """Raises:
        ValueError: a rule is written otherwise.
        """
        self._rules = tuple(_rule(text) for text in rules if text.strip())

    def __call__(self, robot: str, server: str, tool: str) -> bool:
        """Whether ``robot`` may use ``tool`` of ``server``."""
        return any(
            rule.robot in (ANY, robot) and rule.server == server and rule.tool in (ANY, tool)
            for rule in self._rules
        )


def may_use(names: tuple[str, ...] | None, tool: str) -> bool:
    """Whether ``tool`` (``server.tool``) is among ``names``, which may be ``server.*``; None is
    every tool."""
    server = tool.partition(".")[0]
    return names is None or tool in names or f"{server}.{ANY}" in names


def _rule(text: str) -> _Rule:
    found = _RULE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no rule like robot1:weather.forecast or *:weather.*")
    return _Rule(*found.groups())
