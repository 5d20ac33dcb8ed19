"""The shape of an agent: what a service declares and what the runtime promises it.

The runtime keeps these promises for every service: messages of a scope come in order; a cancel
overtakes a full inbox; what ``emit`` sends bears the scope's identity and cannot be forged;
output that was not declared raises; an ``AgentError`` ends its turn or job with a coded failure
and nothing else; any other exception ends the process loudly; a finished scope stays finished.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from agents.runtime.errors import AgentError
from protocols.envelope import AnyEnvelope, Message


class Scope(StrEnum):
    """What one run of ``serve`` lives for."""

    TURN = "turn"
    SESSION = "session"
    JOB = "job"


class Item(NamedTuple):
    """A message in an inbox, with its raw bytes."""

    envelope: AnyEnvelope
    blob: bytes


class Inbox(Protocol):
    """The messages of one scope, the opening command first; ends when the scope is closed."""

    def __aiter__(self) -> AsyncIterator[Item]: ...

    async def __anext__(self) -> Item: ...


class Emit(Protocol):
    """Sends a result under the scope's identity."""

    def __call__(self, message: Message, blob: bytes = b"", *, t_src_ns: int = 0) -> bool:
        """Return False if the scope is fenced and the message was thrown away.

        Raises:
            UndeclaredOutput: ``produces`` does not name the message's class.
        """


class Service(Protocol):
    """One coroutine per scope. What belongs to the scope is a local variable of ``serve``."""

    name: str
    scope: Scope
    opens: frozenset[type[Message]]
    """Commands that begin a scope; the opening one is the first item of the inbox."""
    consumes: frozenset[type[Message]]
    """Further messages of the scope, commands and media alike."""
    closes: frozenset[type[Message]]
    """Commands after which no further item comes: the inbox delivers them, then ends."""
    produces: frozenset[type[Message]]

    async def serve(self, inbox: Inbox, emit: Emit) -> None:
        """Serve one scope; cancelled as a task when its turn is fenced or its job cancelled."""


@runtime_checkable
class BatchService(Protocol):
    """Sessions that are served together because their model is batched over robots (ears).

    Plain functions, called on the loop in order. The runtime knows open sessions by robot.
    """

    name: str
    consumes: frozenset[type[Message]]
    produces: frozenset[type[Message]]

    def open(self, assign: AnyEnvelope, emit: Emit) -> None:
        """A ``session.assign`` came: serve its robot; a second one replaces the first."""

    def handle(self, envelope: AnyEnvelope, blob: bytes) -> None:
        """A message of an open session."""

    def drained(self) -> Mapping[str, AgentError]:
        """The media lane was drained: everything that could be batched is in. Robots whose session
        cannot go on, and why; each ends as by an error of ``handle``."""

    def close(self, robot: str) -> None:
        """The session of ``robot`` is over."""


@runtime_checkable
class ListeningService(Protocol):
    """Hears media of all robots and makes nothing of it for the bus (the recorder).

    Its subscriptions stand before the agent's link is up, so it misses nothing from then on.
    """

    name: str
    consumes: frozenset[type[Message]]
    produces: frozenset[type[Message]]
    """None."""

    def handle(self, envelope: AnyEnvelope, blob: bytes) -> None:
        """A message, in order, on the loop."""


AnyService = Service | BatchService | ListeningService


@runtime_checkable
class Counting(Protocol):
    """A service that counts what it loses or refuses; its heartbeat says so."""

    name: str
    counters: Counter[str]


class Backend(Protocol):
    """What every engine behind a service has in common."""

    @property
    def name(self) -> str:
        """Of the engine, as settings call it."""

    async def start(self) -> None:
        """Load the engine and run its self-test inference; raise ``BackendUnavailable``."""

    async def close(self) -> None:
        """Free what ``start`` took."""
