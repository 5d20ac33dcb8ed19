"""What each scope of a token allows, and what each route demands: two tables and nothing else."""

from enum import StrEnum

from hub.edge.paths import lies_under, split_base
from hub.store.tokens import Scope


class Right(StrEnum):
    """What a route demands of its caller."""

    KNOW = "know"
    """Whether the hub is well, which models it has, how it is spoken to."""
    WATCH = "watch"
    """Robots, agents, jobs, counters."""
    ROBOT = "robot"
    """To be a robot, or to plan and speak for one; which one, the route checks."""
    USE = "use"
    """To give models work."""
    HEAR = "hear"
    """What people say, and what cameras show, while it happens."""
    ADMIN = "admin"
    """To change what the hub is."""


ALLOWED: dict[Scope, frozenset[Right]] = {
    Scope.ROBOT: frozenset({Right.KNOW, Right.ROBOT}),
    Scope.CLIENT: frozenset({Right.KNOW, Right.WATCH, Right.ROBOT, Right.USE}),
    Scope.OBSERVER: frozenset({Right.KNOW, Right.WATCH}),
    Scope.ADMIN: frozenset(Right),
}

_READ = frozenset({"GET", "HEAD", "OPTIONS"})
_WORK = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ANY = _READ | _WORK
_CONNECT = frozenset({"WEBSOCKET"})

_DEMANDS: tuple[tuple[frozenset[str], str, Right], ...] = (
    (_READ, "/health", Right.KNOW),
    (_READ, "/readyz", Right.KNOW),
    (_READ, "/docs", Right.KNOW),
    (_READ, "/openapi.json", Right.KNOW),
    (_READ, "/models", Right.KNOW),
    (_READ, "/v1/models", Right.KNOW),
    (_READ, "/api/v1", Right.KNOW),
    (_READ, "/ai", Right.KNOW),
    (_ANY, "/ai/knowledge", Right.USE),
    (_WORK, "/tickets", Right.KNOW),
    (_ANY, "/plan", Right.ROBOT),
    (_ANY, "/tts", Right.ROBOT),
    (_ANY, "/say", Right.ROBOT),
    (_ANY, "/eval", Right.ROBOT),
    (_CONNECT, "/robot", Right.ROBOT),
    (_CONNECT, "/converse", Right.ROBOT),
    (_WORK, "/models", Right.ADMIN),
    (_ANY, "/tokens", Right.ADMIN),
    (_ANY, "/pairing", Right.ADMIN),
    (_CONNECT, "/face", Right.ROBOT),
    (_CONNECT, "/observe", Right.WATCH),
    (_READ, "/observe", Right.HEAR),
    (_WORK, "/drain", Right.ADMIN),
    (_ANY, "/mcp", Right.KNOW),  # each tool demands its own right
)
"""The row with the longest path wins. What is in none of them: reading is watching, anything else
is giving work."""


def demanded(method: str, path: str) -> Right:
    """What a request, or a WebSocket (``method`` "WEBSOCKET"), demands of its caller."""
    _, bare = split_base(path)
    found, length = (Right.WATCH if method in _READ else Right.USE), -1
    if bare == "/" and method in _READ:
        return Right.KNOW
    for methods, prefix, right in _DEMANDS:
        if method in methods and len(prefix) > length and lies_under(bare, prefix):
            found, length = right, len(prefix)
    return found
