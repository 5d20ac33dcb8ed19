"""What a peer may ask of the bus, whatever engine is behind it.

Two lanes. Media (``publish`` of a media topic) is lossy and never blocks. Control is never lost:
a fact that an agent publishes is queued until the hub acknowledges it; the hub deduplicates it,
stamps it with the robot's ``(boot, order)``, acts on it (its own subscribers run first) and then
publishes it to every observer. A command goes from the hub to one instance.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.qos import QueueDepth

Handler = Callable[[AnyEnvelope, bytes], None]
"""Plain function called on the loop for every message, in order; it must not block."""

BatchDone = Callable[[], None]
"""Called once after every drain of the media lane, for work that batches over robots."""


class Snapshot(NamedTuple):
    """What a late joiner gets: the last value of every state topic of a robot, and the sequence
    it is current to. ``boot`` tells two runs of the hub apart."""

    boot: int
    order: int
    values: tuple[AnyEnvelope, ...]


class BusCounters(NamedTuple):
    """Everything that did not go as it should, by name."""

    lost: Mapping[str, int]
    """Media messages missed (a gap in ``seq``), per topic class."""
    dropped: Mapping[str, int]
    """Messages this peer dropped at a bound, per topic class."""
    refused: Mapping[str, int]
    """Frames refused, per error code."""
    duplicates: int
    """Control facts that came again and were ignored."""

    def mishaps(self) -> dict[str, int]:
        """All of them by one name each."""
        return {
            **{f"bus_lost.{topic}": n for topic, n in self.lost.items()},
            **{f"bus_dropped.{topic}": n for topic, n in self.dropped.items()},
            **{f"bus_refused.{code}": n for code, n in self.refused.items()},
            "bus_duplicates": self.duplicates,
        }


class Bus(Protocol):
    """One peer's end of the bus; also an async context manager that connects and drains."""

    @property
    def name(self) -> str:
        """This peer's instance name, the ``src`` of all it sends."""

    @property
    def counters(self) -> BusCounters: ...

    def publish(self, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        """Send a message under its topic; ``id``, ``src`` and ``seq`` are set here.

        A fact carries no blob: bytes travel on the media lane.

        Raises:
            PeerOverrun: the control queue is at its bound; the link is being given up.
            FrameTooLarge: the message exceeds the limit of its lane.
            BusError: the message is a command; ``HubBus.send`` sends those.
        """

    def subscribe(self, message: type[Message], handler: Handler, robot: str | None = None) -> None:
        """Call ``handler`` for every message of this class, of one robot or of all.

        For the hub this covers what its agents publish; for any other peer media, and the facts
        the hub has accepted.
        """

    def unsubscribe(
        self, message: type[Message], handler: Handler, robot: str | None = None
    ) -> None:
        """Undo one ``subscribe``."""

    def on_media_drained(self, done: BatchDone) -> None:
        """Call ``done`` after every batch of media that was handed out."""

    async def snapshot(self, robot: str) -> Snapshot:
        """The robot's last values and sequence."""

    async def replay(self, robot: str, boot: int, after: int) -> tuple[AnyEnvelope, ...] | None:
        """The control facts after ``(boot, after)``, or None if the ring no longer holds them."""

    async def drain(self) -> None:
        """Return once everything published on the control lane is acknowledged."""

    async def open(self) -> None:
        """Connect; return once the hub has acknowledged this peer and its subscriptions hold."""

    async def close(self) -> None:
        """Drain for a moment, then disconnect."""

    async def __aenter__(self) -> "Bus": ...

    async def __aexit__(self, *exc: Any) -> None: ...


class AgentBus(Bus, Protocol):
    """The end an agent holds: it takes commands and knows when the hub is gone."""

    def serve(self, handler: Handler) -> None:
        """Call ``handler`` for every command addressed to this instance, in order."""

    def on_link(self, up: Callable[[], None], down: Callable[[str], None]) -> None:
        """``up`` after every (re-)registration, ``down`` with a reason when the link is lost."""


class BusTap(Protocol):
    """Sees what passes through the hub's end of the control lane, in order; it must not block."""

    def fact(self, envelope: AnyEnvelope, *, acting: bool) -> None:
        """A fact was accepted and numbered; ``acting`` if the hub acts on it next, until
        ``acted``: on those of agents, not on its own."""

    def acted(self) -> None:
        """The hub has done everything that the agent's fact asked for."""

    def command(self, peer: str, envelope: AnyEnvelope) -> None:
        """A command is sent to an instance."""


class HubBus(Bus, Protocol):
    """The end the hub holds: it commands instances and sees them come and go.

    What it publishes or sends while it acts on an agent's fact has that fact's id as its cause.
    """

    def tap(self, tap: BusTap) -> None:
        """Show ``tap`` every fact and command from now on; there is at most one."""

    @property
    def boot(self) -> int:
        """Number of this run of the hub."""

    def send(self, peer: str, envelope: AnyEnvelope) -> None:
        """Send a command to one instance.

        Raises:
            UnknownPeer: no such instance is linked. A peer that does not keep up is disconnected,
            which ``on_peers`` reports.
            FrameTooLarge: the command exceeds the limit of the control lane.
        """

    def on_peers(
        self,
        joined: Callable[[str, "Envelope[Any]"], None],
        left: Callable[[str, str], None],
    ) -> None:
        """``joined(instance, hello)`` when an agent's link is up and its media flows both ways,
        ``left(instance, reason)`` when it is gone."""

    @property
    def peers(self) -> tuple[str, ...]: ...

    def depths(self) -> Iterable[QueueDepth]:
        """What waits for each peer at this moment."""
