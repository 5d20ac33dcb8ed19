"""What the hub knows of the peers that are linked to it. Pure bookkeeping, no sockets."""

from protocols.envelope import AnyEnvelope
from protocols.link import Arrivals, LinkTiming, Outbox


class Peer:
    """One link: an agent's if it brought a hello, else an observer's.

    ``link`` is the routing id of the link's socket. A peer that registers again is a new link, and
    nothing of the old one is valid on it.
    """

    def __init__(
        self, name: str, link: bytes, incarnation: int, hello: AnyEnvelope | None, now: float
    ) -> None:
        self.name = name
        self.link = link
        self.incarnation = incarnation
        self.hello = hello
        self.outbox = Outbox()
        self.arrivals = Arrivals()
        self.heard_at = now
        self.sent_at = now
        self.since = now
        self.up_seen = hello is None
        """The peer's probes have reached the hub; an observer sends none."""
        self.down_seen = False
        """The hub's probes have reached the peer."""
        self.joined = False

    def is_through(self) -> bool:
        """Whether all lanes are open both ways."""
        return self.up_seen and self.down_seen

    def forgive(self, seconds: float) -> None:
        """The hub itself was not there for so long: nobody can be blamed for that time."""
        self.heard_at += seconds
        self.outbox.forgive(seconds)

    def verdict(self, now: float, last: float, timing: LinkTiming) -> str:
        """Why the peer must be given up, ``""`` if it need not; the one before was at ``last``.

        If that is long ago the hub was away, and whoever has lived through it has given up the
        hub by now: what is sent on a link from before reaches nobody.
        """
        if now - last > timing.silence_s and self.since <= last:
            return f"the hub was away for {_ms(now - last)} ms"
        if now - self.heard_at > timing.silence_s:
            return f"silent for {_ms(now - self.heard_at)} ms"
        stalled = self.outbox.stalled_s(now)
        if self.joined and stalled > timing.silence_s:
            return f"acknowledged nothing for {_ms(stalled)} ms"
        return ""


class Peers:
    """All links, by routing id and by name; a name has at most one."""

    def __init__(self) -> None:
        self._by_link: dict[bytes, Peer] = {}
        self._by_name: dict[str, Peer] = {}

    def add(self, peer: Peer) -> None:
        self._by_link[peer.link] = peer
        self._by_name[peer.name] = peer

    def remove(self, peer: Peer) -> bool:
        """Forget a link; False if it was forgotten before."""
        if self._by_link.pop(peer.link, None) is None:
            return False
        if self._by_name.get(peer.name) is peer:
            del self._by_name[peer.name]
        return True

    def linked(self, link: bytes) -> Peer | None:
        return self._by_link.get(link)

    def named(self, name: str) -> Peer | None:
        return self._by_name.get(name)

    def all(self) -> tuple[Peer, ...]:
        return tuple(self._by_link.values())

    def agents(self) -> tuple[str, ...]:
        """Names of the agents that have joined."""
        return tuple(p.name for p in self._by_link.values() if p.joined and p.hello is not None)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
