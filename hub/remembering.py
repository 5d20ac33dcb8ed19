"""The memories of robots that talk, asked of the memory agent as jobs; and orders to feelings."""

from contextlib import aclosing

from hub.errors import AgentMissing
from hub.jobs.desk import JobDesk
from hub.jobs.job import JobClass
from hub.jobs.orders import Caller, JobOrder
from hub.session import events as on
from hub.session.manager import SessionManager
from protocols.envelope import Message
from protocols.messages.agent import AgentKind
from protocols.messages.memory import MemoryNote, MemoryRecall, MemoryState

DEADLINE_S = 5.0
SOURCE = "conversation"


class JobRemembering:
    """A ``hub.session.memories.Remembering`` over the job desk."""

    def __init__(self, desk: JobDesk) -> None:
        self._desk = desk

    async def recall(self, robot: str) -> MemoryState:
        """See ``Remembering``.

        Raises:
            JobError: there is no memory agent, or it is too busy, took too long, or failed.
        """
        return await self._asked(robot, MemoryRecall())

    async def note(self, robot: str, tags: tuple[dict[str, str], ...]) -> MemoryState:
        """See ``Remembering``; raises as ``recall``."""
        return await self._asked(robot, MemoryNote(tags=tags, source=SOURCE), repeatable=False)

    async def _asked(self, robot: str, request: Message, *, repeatable: bool = True) -> MemoryState:
        caller = Caller("", robot, JobClass.INTERACTIVE, deadline_s=DEADLINE_S)
        order = JobOrder(AgentKind.MEMORY, request, caller, repeatable=repeatable)
        memory: MemoryState | None = None
        async with aclosing(self._desk.run(order)) as facts:
            async for fact in facts:
                if isinstance(fact.body, MemoryState):
                    memory = fact.body
        if memory is None:
            raise AgentMissing("the memory agent ended its job without an answer")
        return memory


def order_feelings(sessions: SessionManager, robot: str, order: Message) -> None:
    """Give whoever feels for ``robot`` an order of ``protocols/messages/affect.py``.

    Raises:
        UnknownRobot: it is not connected.
        AgentMissing: nobody feels for it.
    """
    seat = sessions.seat(robot)
    if not seat.state.feels:
        raise AgentMissing(f"no feelings agent serves robot {robot!r}")
    seat.feed(on.Felt(order))
