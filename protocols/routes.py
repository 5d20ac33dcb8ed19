"""Who wants which topic: the table behind ``subscribe``, and what is counted on the way to it.

A topic is resolved once and then found in a dict, because the media lane asks for it with every
frame.
"""

from collections import Counter
from typing import NamedTuple
from zlib import crc32

from protocols.bus import BusCounters, Handler
from protocols.codecs.bus import decode
from protocols.envelope import AnyEnvelope, Message
from protocols.errors import HubError, ProtocolError, UnknownTopic
from protocols.topics import CATALOG, parse_topic, topic_name

MAX_ROUTES = 16_384
MAX_SOURCES = 64


class _Route:
    """One wire topic: its handlers and the last ``seq`` of each of its sources."""

    __slots__ = ("handlers", "message", "name", "robot", "seqs")

    def __init__(self, message: type[Message], robot: str, handlers: tuple[Handler, ...]) -> None:
        self.message = message
        self.name = topic_name(message)
        self.robot = robot
        self.handlers = handlers
        self.seqs: dict[str, int] = {}


class _Subscription(NamedTuple):
    handler: Handler
    robot: str | None


class Routes:
    """Subscriptions of one peer. Frames that cannot be handed out are counted, never raised."""

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.duplicates = 0
        self._subscriptions: dict[type[Message], list[_Subscription]] = {}
        self._routes: dict[bytes, _Route] = {}

    @property
    def counters(self) -> BusCounters:
        """A copy of the counts."""
        return BusCounters(dict(self.lost), dict(self.dropped), dict(self.refused), self.duplicates)

    def refuse(self, error: HubError) -> None:
        """Count a refused frame under its error's code."""
        self.refused[error.code] += 1

    def add(self, message: type[Message], handler: Handler, robot: str | None) -> bool:
        """Subscribe; return whether this is the first for ``(message, robot)``."""
        subscriptions = self._subscriptions.setdefault(message, [])
        first = all(s.robot != robot for s in subscriptions)
        subscriptions.append(_Subscription(handler, robot))
        self._refresh(message)
        return first

    def remove(self, message: type[Message], handler: Handler, robot: str | None) -> bool:
        """Undo one ``add``; return whether nobody is left for ``(message, robot)``."""
        subscriptions = self._subscriptions.get(message, [])
        if (subscription := _Subscription(handler, robot)) not in subscriptions:
            return False
        subscriptions.remove(subscription)
        self._refresh(message)
        return all(s.robot != robot for s in subscriptions)

    def deliver_media(self, topic: bytes, header: bytes, blob: bytes) -> None:
        """Decode a media frame and call its handlers; a gap in ``seq`` is counted as lost."""
        route = self._routes.get(topic)
        try:
            if route is None:
                route = self._resolve(topic)
            _, envelope = decode(topic, header, len(blob))
        except ProtocolError as error:
            self.refused[error.code] += 1
            return
        seqs = route.seqs
        src, seq = envelope.src, envelope.seq
        last = seqs.get(src)
        if last is None:
            if len(seqs) >= MAX_SOURCES:
                del seqs[next(iter(seqs))]
        elif seq > last + 1:
            self.lost[route.name] += seq - last - 1
        seqs[src] = seq
        for handler in route.handlers:
            handler(envelope, blob)

    def deliver(self, topic: bytes, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        """Call the handlers of a message that is decoded already."""
        route = self._routes.get(topic) or self._resolve(topic)
        for handler in route.handlers:
            handler(envelope, blob)

    def _resolve(self, topic: bytes) -> _Route:
        line, robot = parse_topic(topic)
        if len(self._routes) >= MAX_ROUTES:
            del self._routes[next(iter(self._routes))]
        route = _Route(line.message, robot, self._handlers(line.message, robot))
        self._routes[topic] = route
        return route

    def _handlers(self, message: type[Message], robot: str) -> tuple[Handler, ...]:
        subscriptions = self._subscriptions.get(message, ())
        return tuple(s.handler for s in subscriptions if s.robot is None or s.robot == robot)

    def _refresh(self, message: type[Message]) -> None:
        if topic_name(message) not in CATALOG:
            raise UnknownTopic(f"{message.__name__} is not in the catalog")
        for route in self._routes.values():
            if route.message is message:
                route.handlers = self._handlers(message, route.robot)


def first_id(name: str) -> int:
    """Where a peer's ids begin: far from any other name's, so that an id alone, as ``cause`` has
    it, tells which message is meant."""
    return crc32(name.encode()) << 31


class Outgoing:
    """Numbers what one peer sends: ``id`` over all, ``seq`` per topic and robot."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._id = first_id(name)
        self._seqs: dict[tuple[type[Message], str], int] = {}

    def stamp(self, envelope: AnyEnvelope) -> None:
        """Set ``id``, ``src`` and ``seq``."""
        self._id += 1
        key = type(envelope.body), envelope.robot
        seq = self._seqs.get(key, 0) + 1
        if seq == 1 and len(self._seqs) >= MAX_ROUTES:
            del self._seqs[next(iter(self._seqs))]
        self._seqs[key] = seq
        envelope.id = self._id
        envelope.src = self._name
        envelope.seq = seq
