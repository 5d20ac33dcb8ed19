"""The reliable half of the control lane, as pure bookkeeping: what was sent, what came.

Both ends of a link keep an ``Outbox`` for what they send and ``Arrivals`` for what they get. The
receiver takes frames strictly in sequence and acknowledges the last one it took; the sender keeps
everything until then and sends it again, from the oldest on, when no acknowledgement comes.
"""

import itertools
from collections import deque
from typing import NamedTuple

from protocols.envelope import AnyEnvelope
from protocols.errors import PeerOverrun
from protocols.messages.blob import BlobSent
from protocols.qos import QOS, QosClass


class LinkTiming(NamedTuple):
    """Clockwork of a link, in seconds."""

    beat_s: float = 0.5
    """A side that has sent nothing for this long sends a beat."""
    silence_s: float = 1.5
    """A peer that was silent, or acknowledged nothing that waits, for this long is given up."""
    resend_s: float = 0.5
    """What is not acknowledged after this is sent again."""
    probe_s: float = 0.01
    """Distance of two probes of the media lane while a link comes up."""
    retry_s: float = 0.1
    """Mean wait before the second attempt to register; doubles with each one."""
    retry_max_s: float = 2.0


ROBOT_BYTES = QOS[QosClass.CONTROL].bound_bytes
TOTAL_BYTES = 32 * ROBOT_BYTES
BATCH_BYTES = 64 * 1024
"""Messages that wait together leave together, up to this: a wake-up costs more than a frame."""


BLOB_BYTES = TOTAL_BYTES // 2
"""What parts of blobs may take of it: two of them are more than a robot's share."""


class Share(NamedTuple):
    """Against which bound a message counts."""

    owner: str
    bound_bytes: int


def share_of(envelope: AnyEnvelope) -> Share:
    """The share of a message's robot; a program's jobs have one each, and parts of blobs one in
    all, so that none of them leaves another no room. No robot's name holds a space."""
    if isinstance(envelope.body, BlobSent):
        return Share("parts of blobs", BLOB_BYTES)
    owner = envelope.robot or (f"job {envelope.job}" if envelope.job else "")
    return Share(owner, ROBOT_BYTES)


class _Waiting(NamedTuple):
    seq: int
    robot: str
    frames: tuple[bytes, ...]
    size: int


class Outbox:
    """Frames that the other side has not acknowledged, oldest first; bounded per robot and in
    all."""

    def __init__(self, robot_bytes: int = ROBOT_BYTES, total_bytes: int = TOTAL_BYTES) -> None:
        self._robot_bytes = robot_bytes
        self._total_bytes = total_bytes
        self._waiting: deque[_Waiting] = deque()
        self._sent = 0
        self._next_seq = 1
        self._bytes: dict[str, int] = {}
        self._total = 0
        self._progress_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of all messages that are not acknowledged."""
        return self._total

    def room(self, robot: str, size: int, robot_bytes: int | None = None) -> bool:
        """Whether ``size`` further bytes for a robot stay within the bounds.

        A robot for which nothing waits may always have one message: what its lane allows is sent.
        """
        bound = self._robot_bytes if robot_bytes is None else robot_bytes
        held = self._bytes.get(robot, 0)
        fits = held == 0 or held + size <= bound
        return fits and self._total + size <= self._total_bytes

    def push(
        self,
        robot: str,
        frames: tuple[bytes, ...],
        now: float,
        robot_bytes: int | None = None,
    ) -> None:
        """Add a message; ``now`` in seconds, ``robot_bytes`` another bound than the usual one.

        Raises:
            PeerOverrun: it does not fit; nothing was added.
        """
        size = sum(map(len, frames))
        if not self.room(robot, size, robot_bytes):
            raise PeerOverrun(
                f"{self._total} B wait for an acknowledgement, {self._bytes.get(robot, 0)} B of "
                f"robot {robot!r}: {size} B more do not fit"
            )
        if not self._waiting:
            self._progress_at = now
        self._waiting.append(_Waiting(self._next_seq, robot, frames, size))
        self._next_seq += 1
        self._total += size
        self._bytes[robot] = self._bytes.get(robot, 0) + size

    def unsent(self) -> tuple[int, tuple[bytes, ...]] | None:
        """Sequence number and frames of the next message to send, if any waits."""
        if self._sent == len(self._waiting):
            return None
        waiting = self._waiting[self._sent]
        return waiting.seq, waiting.frames

    def unsent_batch(self) -> tuple[int, int, list[bytes]] | None:
        """What may leave as one: the first message's number, how many there are, all frames."""
        batch: list[_Waiting] = []
        size = 0
        for waiting in itertools.islice(self._waiting, self._sent, None):
            if batch and size + waiting.size > BATCH_BYTES:
                break
            batch.append(waiting)
            size += waiting.size
        if not batch:
            return None
        return batch[0].seq, len(batch), [frame for waiting in batch for frame in waiting.frames]

    def mark_sent(self, count: int = 1) -> None:
        """The next ``count`` messages are on their way."""
        self._sent += count

    def acknowledge(self, seq: int, now: float) -> None:
        """Everything up to ``seq`` has arrived."""
        while self._waiting and self._waiting[0].seq <= seq:
            done = self._waiting.popleft()
            self._sent = max(0, self._sent - 1)
            self._total -= done.size
            left = self._bytes[done.robot] - done.size
            if left:
                self._bytes[done.robot] = left
            else:
                del self._bytes[done.robot]
            self._progress_at = now

    def stalled_s(self, now: float) -> float:
        """For how long something has waited without any acknowledgement."""
        return now - self._progress_at if self._waiting else 0.0

    def forgive(self, seconds: float) -> None:
        """Do not count time in which no acknowledgement could have been read."""
        self._progress_at += seconds

    def rewind(self) -> None:
        """Send everything again that is not acknowledged."""
        self._sent = 0

    def restart(self, now: float) -> None:
        """A new link: number what waits from 1 and send all of it."""
        kept = [(w.robot, w.frames) for w in self._waiting]
        self.clear()
        for robot, frames in kept:
            self.push(robot, frames, now)

    def clear(self) -> int:
        """Throw everything away; return how many messages that were."""
        count = len(self._waiting)
        self._waiting.clear()
        self._bytes.clear()
        self._total = self._sent = 0
        self._next_seq = 1
        return count


class Arrivals:
    """The receiving side: takes each sequence number once and in order."""

    def __init__(self) -> None:
        self.last = 0
        self.repeated = 0
        """Frames that came again."""
        self.owed = False
        """Whether an acknowledgement of ``last`` is due."""

    def take(self, seq: int) -> bool:
        """Whether this frame is the next one. A repeated one is acknowledged again, one after a
        gap is left to be sent again."""
        self.owed = True
        if seq != self.last + 1:
            self.repeated += seq <= self.last
            return False
        self.last = seq
        return True
