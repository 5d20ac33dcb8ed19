"""What a tool is to the planner: what is offered, what a model wishes, what came of it."""

from collections import Counter
from typing import Any, NamedTuple, Protocol

from protocols.messages.turn import TurnStart

MAX_CALLS = 2
"""Tools that one answer may call, one after the other."""


class ToolOffer(NamedTuple):
    """A tool that a model may wish for; ``name`` is ``server.tool``."""

    name: str
    description: str
    schema: dict[str, Any]


class ToolWish(NamedTuple):
    """A tool that a model wishes to be called, before it says anything."""

    name: str
    arguments: dict[str, Any]


class ToolResult(NamedTuple):
    """What came of a call: ``text`` is data of whoever serves the tool, or says why there is none;
    ``code`` is why it failed, ``ms`` how long it took."""

    name: str
    text: str
    code: str = ""
    ms: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.code


class Equipped(TurnStart, tag="turn.start"):  # type: ignore[misc] # frozen, as its base is
    """A turn as an engine is given it that may call tools. It never leaves the agent."""

    tools: tuple[ToolOffer, ...] = ()
    results: tuple[ToolResult, ...] = ()


class Tools(Protocol):
    """Whoever has tools."""

    counters: Counter[str]

    def offers(self, robot: str) -> tuple[ToolOffer, ...]:
        """The tools that ``robot`` may use now."""

    def has(self, robot: str, name: str) -> bool:
        """Whether ``name`` is one of them."""

    async def call(self, robot: str, wish: ToolWish) -> ToolResult:
        """Call one of them. It takes no longer than its budget, and never raises but when it is
        cancelled."""


class NoTools:
    """A ``Tools`` that has none."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()

    def offers(self, robot: str) -> tuple[ToolOffer, ...]:
        return ()

    def has(self, robot: str, name: str) -> bool:
        return False

    async def call(self, robot: str, wish: ToolWish) -> ToolResult:
        return ToolResult(wish.name, "there are no tools", "no_such_tool")


def equipped(
    turn: TurnStart, tools: tuple[ToolOffer, ...], results: tuple[ToolResult, ...]
) -> TurnStart:
    """``turn`` with what may be called and what came of calls; itself, if that is nothing."""
    if not tools and not results:
        return turn
    fields = {name: getattr(turn, name) for name in TurnStart.__struct_fields__}
    return Equipped(**fields, tools=tools, results=results)
