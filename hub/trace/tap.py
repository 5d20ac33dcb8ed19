"""Makes the trace's entries in the hub process and hands them to whoever listens.

The tap decides nothing and changes nothing. With nobody listening it costs a look at an empty
tuple; words are taken out before an entry exists, unless recording is on. The one exception is a
*watcher*, who shows what happens to people while it does and keeps nothing of it.
"""

from collections.abc import Callable, Iterable

import msgspec

from hub.session.link import RobotLink
from hub.session.tap import depths_of
from hub.trace import entries
from hub.trace.entries import Entry
from hub.trace.redact import redacted, redacted_reason, without_bytes
from protocols.envelope import AnyEnvelope
from protocols.messages.audio import SpeechChunk
from protocols.messages.robot import FromRobot, Hello, SpeechFrame, ToRobot
from protocols.qos import QueueDepth
from protocols.topics import topic_name

Sink = Callable[[Entry], None]
"""Takes every entry, in order, on the hub's loop; it must not block."""
Ear = Callable[[str, bytes], None]
"""Takes each chunk of a robot's microphone; the same holds."""


class Tap:
    """See the module. All methods run on the hub's loop; ``clock`` gives its nanoseconds."""

    def __init__(self, clock: Callable[[], int], *, words: bool = False) -> None:
        self.words = words
        """Recording is on: words and sound stay in the entries."""
        self.media = False
        """Somebody wants each chunk of the microphone and of tts, too."""
        self.sinks: tuple[Sink, ...] = ()
        self.clock = clock
        self.watcher: Sink | None = None
        """Takes every entry with its words, after the sinks; it must neither keep nor block."""
        self.ear: Ear | None = None
        """Takes the sound of every microphone while somebody watches one; likewise."""
        self._n = 0
        self._by = 0
        self._connections = 0

    def add(self, sink: Sink, *, media: bool = False) -> None:
        """Hand every further entry to ``sink``."""
        self.sinks = (*self.sinks, sink)
        self.media = self.media or media

    def next_n(self) -> int:
        """The number of the next entry."""
        self._n += 1
        return self._n

    def give(self, entry: Entry, body: msgspec.Struct | None = None) -> None:
        """Hand out an entry that bears the next number; ``body`` is its body with words."""
        for sink in self.sinks:
            sink(entry)
        if self.watcher is not None:
            same = body is None or body is getattr(entry, "body", None)
            self.watcher(entry if same else msgspec.structs.replace(entry, body=body))

    # the hub

    def started(self, boot: int, hub_id: str = "", version: str = "") -> None:
        """A run of the hub begins."""
        n, now = self.next_n(), self.clock()
        self.give(
            entries.Started(
                n=n, t_ns=now, boot=boot, hub_id=hub_id, version=version, words=self.words
            )
        )

    def stopped(self) -> None:
        """The hub has ended everything that was under way; nothing is told any more."""
        self.give(entries.Stopped(n=self.next_n(), t_ns=self.clock()))
        self.sinks, self.media = (), False

    def depths(self, found: Iterable[QueueDepth]) -> None:
        """So much waits in queues at this moment; of those that are empty nothing is told."""
        if not self.sinks:
            return
        for queue, owner, depth, bound in found:
            if depth:
                n, now = self.next_n(), self.clock()
                self.give(
                    entries.Depth(n=n, t_ns=now, queue=queue, owner=owner, depth=depth, bound=bound)
                )

    # the bus

    def fact(self, envelope: AnyEnvelope, *, acting: bool) -> None:
        """See ``protocols.bus.BusTap``."""
        if not self.sinks:
            return
        n, by = self.next_n(), self._by
        if acting:
            self._by = n
        body = envelope.body
        self.give(
            entries.Fact(
                n=n,
                t_ns=self.clock(),
                by=by,
                topic=topic_name(type(body)),
                body=body if self.words else redacted(body),
                robot=envelope.robot,
                session=envelope.session,
                epoch=envelope.epoch,
                turn=envelope.turn,
                job=envelope.job,
                src=envelope.src,
                id=envelope.id,
                cause=envelope.cause,
                seq=envelope.seq,
                boot=envelope.boot,
                order=envelope.order,
                t_src_ns=envelope.t_src_ns,
                t_hub_ns=envelope.t_hub_ns,
                ttl_ms=envelope.ttl_ms,
            ),
            body,
        )

    def acted(self) -> None:
        """See ``protocols.bus.BusTap``."""
        self._by = 0

    def command(self, peer: str, envelope: AnyEnvelope) -> None:
        """See ``protocols.bus.BusTap``."""
        if not self.sinks:
            return
        body = envelope.body
        self.give(
            entries.Command(
                n=self.next_n(),
                t_ns=self.clock(),
                by=self._by,
                topic=topic_name(type(body)),
                body=without_bytes(body) if self.words else redacted(body),
                peer=peer,
                robot=envelope.robot,
                session=envelope.session,
                epoch=envelope.epoch,
                turn=envelope.turn,
                job=envelope.job,
                id=envelope.id,
                cause=envelope.cause,
                ttl_ms=envelope.ttl_ms,
            )
        )

    def speech(self, envelope: AnyEnvelope, pcm: bytes) -> None:
        """A chunk of speech came from tts."""
        if not self.media:
            return
        chunk = envelope.body
        assert isinstance(chunk, SpeechChunk)
        self.give(
            entries.SpeechIn(
                n=self.next_n(),
                t_ns=self.clock(),
                robot=envelope.robot,
                turn=envelope.turn,
                job=envelope.job,
                src=envelope.src,
                first_sample=chunk.first_sample,
                samples=len(pcm) // 2,
            )
        )

    # connections

    def connect(
        self, robot: str, epoch: int, session: str, hello: Hello, resumed: bool, link: RobotLink
    ) -> "TappedLink":
        """``link`` becomes the robot's owner under ``epoch``: talk to it through what is returned."""
        self._connections += 1
        number = self._connections
        self.give(
            entries.Opened(
                n=self.next_n(),
                t_ns=self.clock(),
                by=self._by,
                robot=robot,
                epoch=epoch,
                connection=number,
                session=session,
                resumed=resumed,
                client=hello.client if self.words else redacted(hello).client,
                rate_hz=hello.speech_rate_hz,
            )
        )
        return TappedLink(self, link, robot, epoch, number, hello.speech_rate_hz)

    def said(self, link: "TappedLink", message: FromRobot) -> int:
        """A message came on a connection; see ``TappedLink.said``."""
        before = self._by
        if self.sinks:
            self._by = self.next_n()
            self.give(
                entries.Said(
                    n=self._by,
                    t_ns=self.clock(),
                    robot=link.robot,
                    epoch=link.epoch,
                    connection=link.number,
                    body=message if self.words else redacted(message),
                ),
                message,
            )
        return before

    def act_for(self, entry: int) -> None:
        """What the hub does from now on is the effect of ``entry`` (0: of nothing seen)."""
        self._by = entry

    def told(self, link: "TappedLink", message: ToRobot) -> None:
        """A message is sent on a connection."""
        if self.sinks:
            self.give(
                entries.Told(
                    n=self.next_n(),
                    t_ns=self.clock(),
                    by=self._by,
                    robot=link.robot,
                    epoch=link.epoch,
                    connection=link.number,
                    body=message if self.words else redacted(message),
                ),
                message,
            )

    def spoke(self, link: "TappedLink", header: SpeechFrame, pcm: bytes) -> None:
        """A frame of speech is sent on a connection."""
        if self.sinks:
            self.give(
                entries.SpeechOut(
                    n=self.next_n(),
                    t_ns=self.clock(),
                    robot=link.robot,
                    epoch=link.epoch,
                    connection=link.number,
                    frame_epoch=header.epoch,
                    turn=header.turn,
                    first_sample=header.first_sample,
                    samples=header.samples,
                    rate_hz=link.rate_hz,
                    energy=header.energy,
                    pcm=pcm if self.words else b"",
                )
            )

    def heard(self, link: "TappedLink", first_sample: int, pcm: bytes) -> None:
        """A chunk of the microphone came on a connection."""
        self.give(
            entries.MicIn(
                n=self.next_n(),
                t_ns=self.clock(),
                robot=link.robot,
                epoch=link.epoch,
                connection=link.number,
                first_sample=first_sample,
                samples=len(pcm) // 2,
                pcm=pcm if self.words else b"",
            )
        )

    def closed(self, link: "TappedLink", code: int, reason: str) -> None:
        """A connection is owner no longer."""
        self.give(
            entries.Closed(
                n=self.next_n(),
                t_ns=self.clock(),
                by=self._by,
                robot=link.robot,
                epoch=link.epoch,
                connection=link.number,
                code=code,
                reason=reason if self.words else redacted_reason(reason),
            )
        )


class TappedLink:
    """A ``RobotLink`` whose traffic is seen. It bears the identity of its connection; once the
    connection is closed nothing that is sent on it leaves, so nothing is told of it."""

    def __init__(
        self, tap: Tap, link: RobotLink, robot: str, epoch: int, number: int, rate_hz: int
    ) -> None:
        self.robot = robot
        self.epoch = epoch
        self.number = number
        self.rate_hz = rate_hz
        self.tap = tap
        self.profile = link.profile
        self.link = link
        """The link itself."""
        self._is_open = True

    def send(self, message: ToRobot) -> None:
        if self._is_open:
            self.tap.told(self, message)
        self.link.send(message)

    def send_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        if self._is_open:
            self.tap.spoke(self, header, pcm)
        self.link.send_speech(header, pcm)

    def drop_speech(self, upto_turn: int) -> None:
        self.link.drop_speech(upto_turn)

    def depths(self) -> Iterable[QueueDepth]:
        return depths_of(self.link)

    def close(self, code: int, reason: str) -> None:
        self.gone(code, reason)
        self.link.close(code, reason)

    def said(self, message: FromRobot) -> int:
        """See ``hub.session.tap.SeenLink``, as for the others."""
        return self.tap.said(self, message)

    def acted(self, before: int) -> None:
        self.tap.act_for(before)

    def heard(self, first_sample: int, pcm: bytes) -> None:
        if self.tap.media:
            self.tap.heard(self, first_sample, pcm)
        if self.tap.ear is not None:
            self.tap.ear(self.robot, pcm)

    def gone(self, code: int, reason: str) -> None:
        if self._is_open:
            self._is_open = False
            self.tap.closed(self, code, reason)
