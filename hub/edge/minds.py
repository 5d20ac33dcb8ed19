"""What the edge needs of whoever knows what robots feel and remember."""

from typing import NoReturn, Protocol

from hub.errors import AgentMissing
from protocols.envelope import Message
from protocols.messages.affect import AffectState
from protocols.messages.memory import MemoryState


class Minds(Protocol):
    """What robots feel, and what they may remember. ``client`` is the id of the grant that asks.

    All of it raises ``AgentMissing`` where nobody feels for, or remembers for, the robot; what is of
    feelings ``UnknownRobot`` if it is not connected; what is of memories ``JobError`` if it failed.
    """

    def feelings(self, robot: str) -> AffectState:
        """What a robot feels now."""

    def order(self, robot: str, order: Message) -> None:
        """Give whoever feels for it an order of ``protocols/messages/affect.py``."""

    async def memories(self, robot: str, client: str) -> MemoryState:
        """All that it remembers, the strongest first."""

    async def consent(self, robot: str, granted: bool, client: str) -> MemoryState:
        """Decide whether it may remember; if not, everything is forgotten."""

    async def forget(self, robot: str, tags: tuple[str, ...], client: str) -> MemoryState:
        """Forget ``tags``; without any, everything. What it still remembers."""


class Mindless:
    """``Minds`` where there is nobody."""

    def feelings(self, robot: str) -> AffectState:
        """See ``Minds``."""
        self._nobody()

    def order(self, robot: str, order: Message) -> None:
        """See ``Minds``."""
        self._nobody()

    async def memories(self, robot: str, client: str) -> MemoryState:
        """See ``Minds``."""
        self._nobody()

    async def consent(self, robot: str, granted: bool, client: str) -> MemoryState:
        """See ``Minds``."""
        self._nobody()

    async def forget(self, robot: str, tags: tuple[str, ...], client: str) -> MemoryState:
        """See ``Minds``."""
        self._nobody()

    def _nobody(self) -> NoReturn:
        raise AgentMissing("nobody here feels or remembers")
