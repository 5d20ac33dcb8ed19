"""A loudspeaker that counts samples instead of sounding them: what a light robot plays."""

from enum import StrEnum

from protocols.identity import Fence, Stamp
from protocols.messages.robot import Flushed, Played, SpeechFrame

_NS = 1_000_000_000
ACKNOWLEDGE_NS = 100_000_000
"""How often the position is acknowledged while something plays."""


class Arrival(StrEnum):
    """What a frame of speech is to the loudspeaker that gets it."""

    PLAYED = "played"
    FENCED = "fenced"
    """Of a turn that was flushed: it must never have come."""
    LATE = "late"
    """Of a turn that is over here."""
    REPEATED = "repeated"
    GAP = "gap"
    """Samples before it are missing; they count as played silence."""


class CountingLoudspeaker:
    """One response at a time, at ``rate_hz``. Pure: every call is told the time.

    ``position`` counts the samples of ``turn`` that have sounded, and stops where the buffer runs
    dry or the response is held.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.turn = 0
        self.received = 0
        self.underruns = 0
        self.held = False
        self._total = -1
        self._anchor_ns = self._anchor = 0
        self._reported = self._reported_ns = -1
        self._fence = Fence()

    @property
    def fence(self) -> Stamp:
        """Everything at or below it was flushed."""
        return self._fence.at

    def ideal(self, now_ns: int) -> int:
        """Where ``position`` would be if nothing were missing."""
        if self.held:
            return self._anchor
        return self._anchor + (now_ns - self._anchor_ns) * self.rate_hz // _NS

    def position(self, now_ns: int) -> int:
        """Samples of ``turn`` that have sounded."""
        return min(self.received, self.ideal(now_ns))

    def playing(self, now_ns: int) -> bool:
        """Whether a response is not over yet."""
        return self.turn > self._fence.at.turn and self.position(now_ns) != self._total

    def feed(self, header: SpeechFrame, now_ns: int) -> Arrival:
        """Buffer a frame."""
        if self._fence.is_stale(header.turn):
            return Arrival.FENCED
        if header.turn < self.turn:
            return Arrival.LATE
        if header.turn > self.turn:
            self._begin(header, now_ns)
        end = header.first_sample + header.samples
        if end <= self.received:
            return Arrival.REPEATED
        gap = header.first_sample > self.received
        if self.received > self._anchor and not self.held and self.ideal(now_ns) > self.received:
            self.underruns += 1
            self._anchor_ns, self._anchor = now_ns, self.received
        self.received = end
        return Arrival.GAP if gap else Arrival.PLAYED

    def _begin(self, header: SpeechFrame, now_ns: int) -> None:
        self.turn = header.turn
        self.received = self._anchor = self._reported = header.first_sample
        self._anchor_ns = self._reported_ns = now_ns
        self._total, self.underruns, self.held = -1, 0, False

    def finish(self, turn: int, samples: int) -> None:
        """Nothing follows after ``samples`` samples of ``turn``."""
        if turn == self.turn:
            self._total = samples

    def hold(self, turn: int, now_ns: int) -> None:
        """Pause at the present sample and keep the rest."""
        if turn == self.turn and not self.held:
            self._anchor = self.position(now_ns)
            self.held = True

    def release(self, turn: int, now_ns: int) -> None:
        """Go on from the sample it was held at."""
        if turn == self.turn and self.held:
            self._anchor_ns, self.held = now_ns, False

    def flush(self, upto: Stamp, now_ns: int) -> Flushed:
        """Throw away everything at or below ``upto``, now and for ever."""
        played = self.position(now_ns) if self.turn <= upto.turn else 0
        self._fence.raise_to(upto)
        return Flushed(epoch=upto.epoch, turn=upto.turn, samples=played)

    def drop(self, now_ns: int) -> None:
        """Throw away what has not sounded yet; the rest of the response will not come."""
        self.received = self._anchor = self._total = self.position(now_ns)

    def report(self, epoch: int, now_ns: int) -> Played | None:
        """The acknowledgement that is due now, if any."""
        if self.turn <= self._fence.at.turn:
            return None
        position = self.position(now_ns)
        if position == self._reported:
            return None
        if position != self._total and now_ns - self._reported_ns < ACKNOWLEDGE_NS:
            return None
        return self.reannounce(epoch, now_ns)

    def reannounce(self, epoch: int, now_ns: int) -> Played:
        """The position, whenever it was told last: on a hold, and to a new connection."""
        self._reported, self._reported_ns = self.position(now_ns), now_ns
        return Played(epoch=epoch, turn=self.turn, samples=self._reported, underruns=self.underruns)
