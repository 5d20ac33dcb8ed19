"""What each scope of a token allows, and what each route demands: two tables and nothing else."""

from enum import StrEnum

from hub.edge.paths import split_base
from hub.store.tokens import Scope


class Right(StrEnum):
    """What a route demands of its caller."""

    KNOW = "know"
    """Whether the hub is well, which models it has, how it is spoken to."""
    WATCH = "watch"
    """Robots, agents, jobs, counters."""
    ROBOT = "robot"
    """To be a robot, or to plan and speak for one; which one, the route checks."""
    OWN = "own"
    """To decide for a robot what it forgets; which one, the route checks."""
    USE = "use"
    """To give models work."""
    HEAR = "hear"
    """What people say, and what cameras show, while it happens."""
    ADMIN = "admin"
    """To change what the hub is."""


ALLOWED: dict[Scope, frozenset[Right]] = {
    Scope.ROBOT: frozenset({Right.KNOW, Right.ROBOT, Right.OWN}),
    Scope.CLIENT: frozenset({Right.KNOW, Right.WATCH, Right.ROBOT, Right.USE}),
    Scope.OBSERVER: frozenset({Right.KNOW, Right.WATCH}),
    Scope.ADMIN: frozenset(Right),
}

_READ = frozenset({"GET", "HEAD", "OPTIONS"})
_WORK = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ANY = _READ | _WORK
_GIVE = frozenset({"PUT"})
_CONNECT = frozenset({"WEBSOCKET"})

_DEMANDS: tuple[tuple[frozenset[str], str, Right], ...] = (
    (_READ, "/health", Right.KNOW),
    (_READ, "/readyz", Right.KNOW),
    (_READ, "/models", Right.KNOW),
    (_READ, "/v1/models", Right.KNOW),
    (_READ, "/api/v1", Right.KNOW),
    (_READ, "/ai", Right.KNOW),
    (_ANY, "/ai/knowledge", Right.USE),
    (_WORK, "/tickets", Right.KNOW),
    (_ANY, "/plan", Right.ROBOT),
    (_ANY, "/tts", Right.ROBOT),
    (_ANY, "/say", Right.ROBOT),
    (_ANY, "/robots", Right.ROBOT),
    (_WORK, "/robots/*/feelings", Right.ADMIN),
    (_WORK, "/robots/*/memories", Right.OWN),
    (_GIVE, "/robots/*/memories/consent", Right.ADMIN),
    (_ANY, "/eval", Right.ROBOT),
    (_CONNECT, "/robot", Right.ROBOT),
    (_CONNECT, "/converse", Right.ROBOT),
    (_WORK, "/models", Right.ADMIN),
    (_ANY, "/tokens", Right.ADMIN),
    (_ANY, "/pairing", Right.ADMIN),
    (_ANY, "/logs", Right.ADMIN),
    (_ANY, "/traces", Right.ADMIN),
    (_CONNECT, "/face", Right.ROBOT),
    (_CONNECT, "/observe", Right.WATCH),
    (_READ, "/observe", Right.HEAR),
    (_WORK, "/drain", Right.ADMIN),
    (_ANY, "/mcp", Right.KNOW),  # each tool demands its own right
)
"""The row with the longest path wins; ``*`` is any one part of it but the first. What is in none of
them: reading is watching, anything else is giving work."""
_Row = tuple[frozenset[str], tuple[str, ...], Right]
_ROWS: dict[tuple[str, ...], list[_Row]] = {}
"""By their first parts, since every request is looked up here."""
for _methods, _path, _right in _DEMANDS:
    _prefix = tuple(_path.split("/"))
    _ROWS.setdefault(_prefix[:2], []).append((_methods, _prefix, _right))


def demanded(method: str, path: str) -> Right:
    """What a request, or a WebSocket (``method`` "WEBSOCKET"), demands of its caller."""
    _, bare = split_base(path)
    found, length = (Right.WATCH if method in _READ else Right.USE), -1
    if bare == "/" and method in _READ:
        return Right.KNOW
    parts = bare.split("/")
    for methods, prefix, right in _ROWS.get(tuple(parts[:2]), ()):
        if method in methods and len(prefix) > length and _begins(parts, prefix):
            found, length = right, len(prefix)
    return found


def _begins(parts: list[str], prefix: tuple[str, ...]) -> bool:
    """Whether a path begins so, part by part."""
    if len(parts) < len(prefix):
        return False
    return all(wanted in ("*", part) for wanted, part in zip(prefix, parts, strict=False))
