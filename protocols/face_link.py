"""The host's end of a face on a serial port: negotiates, keeps what the face is to show, notices
that it has started anew. Pure: events and a time in, frames to write and news out.

The face keeps nothing over a restart and says nothing of it, so the host holds the last value of
everything it told, and tells it again. Times in nanoseconds of the host's clock.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from protocols.codecs.face import FaceReader, encode_command
from protocols.codecs.serial import LATEST, Packet
from protocols.face import (
    ClockAnswer,
    FaceCommand,
    FaceTelemetry,
    Heartbeat,
    SetTalking,
    SetVersion,
    ShowGesture,
    Status,
    TimeSync,
    VersionAnswer,
)

_MS = 1_000_000
SETTLE_NS = 200 * _MS
"""After a port was opened a microcontroller writes its boot text, and hears nothing."""
ANSWER_NS = 500 * _MS
ASKS = 4
"""How often a version is asked for before the face is taken to speak version 1 alone."""
ASK_AGAIN_NS = 10_000 * _MS
TALK_EVERY_NS = 100 * _MS
"""The mouth closes by itself after 450 ms: two refreshes may be lost."""
SILENT_NS = 3_000 * _MS
"""A face that tells nothing for so long is gone, though its port may be open."""
PING_NS, PING_FAST_NS, FAST_PINGS = 500 * _MS, 200 * _MS, 20
OLD_FRAMES = 3
"""So many frames of version 1 in a row, after version 2 was agreed on, are a face that has started
anew."""


class Reading(NamedTuple):
    """The face's clock beside the host's: ``offset_ns`` ahead of it, ± half of ``rtt_ns``."""

    offset_ns: int
    rtt_ns: int


class News(NamedTuple):
    """What a step brought: bytes to write, and what the face told that somebody may want."""

    frames: tuple[bytes, ...] = ()
    told: tuple[FaceTelemetry, ...] = ()


class FaceLink:
    """See the module. ``version`` is what both ends speak now, 0 while the port is closed."""

    def __init__(self) -> None:
        self.version = 0
        self.reading: Reading | None = None
        self.status: Status | None = None
        self.counters: Counter[str] = Counter()
        self._reader = FaceReader()
        self._latched: dict[type, FaceCommand] = {}
        self._seq = 0
        self._asks = 0
        self._ask_due_ns = 0
        self._heard_ns = 0
        self._uptime_ms = 0
        self._old_frames = 0
        self._talk_due_ns = 0
        self._ping = 0
        self._ping_sent_ns = 0
        self._ping_due_ns = 0

    @property
    def refused(self) -> Counter[str]:
        """Bytes that could not be read, by reason."""
        return self._reader.counters

    @property
    def connected(self) -> bool:
        """Whether the port is open and the face tells something."""
        return self.version > 0 and self._heard_ns > 0

    def opened(self, now_ns: int) -> News:
        """The port is open; the face may be in any state."""
        self._reader.reset()
        self.version, self._heard_ns = 1, 0
        self.reading = self.status = None
        self._uptime_ms = self._old_frames = 0
        self._ping_sent_ns, self._ping_due_ns = 0, now_ns + SETTLE_NS
        self._negotiate(now_ns + SETTLE_NS)
        return News()

    def closed(self) -> None:
        """The port is gone."""
        self.version = 0
        self.reading = self.status = None

    def tell(self, command: FaceCommand, now_ns: int) -> News:
        """Show this from now on. What the face shows already is not told again; a gesture is shown
        if the face is there, and is not kept."""
        if isinstance(command, ShowGesture):
            if not self.version:
                self.counters["gestures.no_face"] += 1
                return News()
            return News((self._frame(command, now_ns),))
        if self._latched.get(type(command)) == command:
            return News()
        self._latched[type(command)] = command
        if isinstance(command, SetTalking):
            self._talk_due_ns = now_ns + TALK_EVERY_NS
        return News((self._frame(command, now_ns),) if self.version else ())

    def received(self, data: bytes, now_ns: int) -> News:
        """Bytes came from the port."""
        frames: list[bytes] = []
        told: list[FaceTelemetry] = []
        for one, packet in self._reader.feed(data):
            self._heard_ns = now_ns
            frames += self._noted(one, packet, now_ns)
            if isinstance(one, Status):
                self.status = one
            elif isinstance(one, ClockAnswer):
                self._synced(one, now_ns)
            told.append(one)
        return News(tuple(frames), tuple(told))

    def advance(self, now_ns: int) -> News:
        """Do what is due."""
        if not self.version:
            return News()
        return News(tuple(self._due(now_ns)))

    def gone_silent(self, now_ns: int) -> bool:
        """Whether the port should be opened anew: it is open and nothing comes."""
        return self.connected and now_ns - self._heard_ns > SILENT_NS

    # inside

    def _due(self, now_ns: int) -> Iterable[bytes]:
        if self._ask_due_ns and now_ns >= self._ask_due_ns:
            yield from self._ask(now_ns)
        talking = self._latched.get(SetTalking)
        if talking is not None and talking[0] and now_ns >= self._talk_due_ns:
            self._talk_due_ns = now_ns + TALK_EVERY_NS
            yield self._frame(talking, now_ns)
        if now_ns >= self._ping_due_ns:
            self._ping += 1
            self._ping_sent_ns = now_ns
            fast = self._ping <= FAST_PINGS
            self._ping_due_ns = now_ns + (PING_FAST_NS if fast else PING_NS)
            yield self._frame(TimeSync(self._ping), now_ns)

    def _negotiate(self, at_ns: int) -> None:
        self._asks, self._ask_due_ns = 0, at_ns

    def _ask(self, now_ns: int) -> Iterable[bytes]:
        if self._asks == ASKS:
            # It may have an old firmware; or it hears nothing, which asking again will show.
            self.counters["face.no_version_answer"] += 1
            self._asks, self._ask_due_ns = 0, now_ns + ASK_AGAIN_NS
            yield from self._everything(now_ns)
            return
        self._asks += 1
        self._ask_due_ns = now_ns + ANSWER_NS
        yield self._frame(SetVersion(LATEST), now_ns)

    def _noted(self, told: FaceTelemetry, packet: Packet, now_ns: int) -> Iterable[bytes]:
        """What a frame says of the face itself; what is to be told because of it."""
        match told:
            case VersionAnswer(version) if 1 <= version <= LATEST:
                self.version, self._ask_due_ns, self._old_frames = version, 0, 0
                return self._everything(now_ns)
            case Heartbeat(uptime_ms=uptime_ms):
                anew = uptime_ms < self._uptime_ms
                self._uptime_ms = uptime_ms
                if anew:
                    return self._started_anew(now_ns)
        if packet.version < self.version:
            self._old_frames += 1
            if self._old_frames >= OLD_FRAMES:
                return self._started_anew(now_ns)
        else:
            self._old_frames = 0
        return ()

    def _started_anew(self, now_ns: int) -> Iterable[bytes]:
        self.counters["face.started_anew"] += 1
        self.version, self._old_frames, self.reading = 1, 0, None
        self._negotiate(now_ns)
        return self._everything(now_ns)

    def _everything(self, now_ns: int) -> list[bytes]:
        return [self._frame(command, now_ns) for command in self._latched.values()]

    def _synced(self, answer: ClockAnswer, now_ns: int) -> None:
        """Offset by one answer; the one with the shortest way there and back is the best."""
        if answer.ping != self._ping or not self._ping_sent_ns:
            self.counters["clock.late_answer"] += 1
            return
        rtt_ns = now_ns - self._ping_sent_ns
        self._ping_sent_ns = 0
        if self.reading is None or rtt_ns <= self.reading.rtt_ns:
            self.reading = Reading(answer.t_src_us * 1_000 + rtt_ns // 2 - now_ns, rtt_ns)

    def _frame(self, command: FaceCommand, now_ns: int) -> bytes:
        self._seq += 1
        return encode_command(command, self._seq, self.version or 1, now_ns // 1_000)
