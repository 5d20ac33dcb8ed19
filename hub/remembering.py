"""What robots remember and feel: the memories of those that talk, asked of the memory agent as jobs,
and what people decide of both."""

from contextlib import suppress

from hub.errors import AgentMissing, UnknownRobot
from hub.jobs.inference import Inference, Jobs
from hub.jobs.orders import Caller
from hub.session import events as on
from hub.session.manager import SessionManager
from protocols.envelope import Message
from protocols.messages.affect import AffectState
from protocols.messages.memory import MemoryState

DEADLINE_S = 5.0
SOURCE = "conversation"
ALL = 1_000
"""More than a robot can remember."""


class JobRemembering:
    """A ``hub.session.memories.Remembering`` over the job desk. Its methods raise ``JobError`` if
    there is no memory agent, or it is too busy, took too long, or failed."""

    def __init__(self, desk: Jobs) -> None:
        self._inference = Inference(desk)

    async def recall(self, robot: str) -> MemoryState:
        """See ``Remembering``."""
        return await self._inference.recall(_caller(robot))

    async def note(self, robot: str, tags: tuple[dict[str, str], ...]) -> MemoryState:
        """See ``Remembering``."""
        return await self._inference.note(tags, _caller(robot), SOURCE)


class RobotMinds:
    """A ``hub.edge.minds.Minds`` over the job desk and the sessions. What it changes of a memory is
    known at once in the conversation that its robot holds."""

    def __init__(self, desk: Jobs, sessions: SessionManager) -> None:
        self._inference = Inference(desk)
        self._sessions = sessions

    def feelings(self, robot: str) -> AffectState:
        """See ``Minds``."""
        state = self._sessions.seat(robot).state
        if not state.feels or state.affect is None:
            raise AgentMissing(f"no feelings agent serves robot {robot!r}")
        return state.affect

    def order(self, robot: str, order: Message) -> None:
        """See ``Minds``."""
        order_feelings(self._sessions, robot, order)

    async def memories(self, robot: str, client: str) -> MemoryState:
        """See ``Minds``."""
        return await self._inference.recall(_caller(robot, client), ALL)

    async def consent(self, robot: str, granted: bool, client: str) -> MemoryState:
        """See ``Minds``."""
        memory = await self._inference.consent(granted, _caller(robot, client))
        return self._known(robot, memory)

    async def forget(self, robot: str, tags: tuple[str, ...], client: str) -> MemoryState:
        """See ``Minds``."""
        memory = await self._inference.forget(_caller(robot, client), tags)
        return self._known(robot, memory)

    def _known(self, robot: str, memory: MemoryState) -> MemoryState:
        with suppress(UnknownRobot):
            self._sessions.seat(robot).feed(on.Recalled(memory))
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


def _caller(robot: str, client: str = "") -> Caller:
    return Caller(client, robot, deadline_s=DEADLINE_S)
