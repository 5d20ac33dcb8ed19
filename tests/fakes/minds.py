"""Minds that remember what they were told, and say what a test has them say."""

from hub.errors import AgentMissing, UnknownRobot
from protocols.envelope import Message
from protocols.errors import HubError
from protocols.messages.affect import AffectState
from protocols.messages.memory import MemoryState


class FakeMinds:
    """A ``Minds`` of the robots in ``felt`` (those that are connected) and ``kept``."""

    def __init__(self) -> None:
        self.felt: dict[str, AffectState] = {}
        self.kept: dict[str, MemoryState] = {}
        self.orders: list[tuple[str, Message]] = []
        self.asked: list[tuple[object, ...]] = []
        """What was asked of memories, with robot and client."""
        self.failure: HubError | None = None

    def feelings(self, robot: str) -> AffectState:
        if robot not in self.felt:
            raise UnknownRobot(f"robot {robot!r} is not connected")
        return self.felt[robot]

    def order(self, robot: str, order: Message) -> None:
        self.feelings(robot)
        self.orders.append((robot, order))

    async def memories(self, robot: str, client: str) -> MemoryState:
        return self._answer("memories", robot, client)

    async def consent(self, robot: str, granted: bool, client: str) -> MemoryState:
        return self._answer("give" if granted else "withdraw", robot, client)

    async def forget(self, robot: str, tags: tuple[str, ...], client: str) -> MemoryState:
        return self._answer("forget", robot, client, tags)

    def _answer(self, what: str, robot: str, client: str, *more: object) -> MemoryState:
        self.asked.append((what, robot, client, *more))
        if self.failure is not None:
            raise self.failure
        if robot not in self.kept:
            raise AgentMissing("no memory is ready")
        return self.kept[robot]
