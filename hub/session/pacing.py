"""Paces speech to a robot: how far the wire may run ahead of the loudspeaker.

A socket swallows minutes of speech at once, and what it has swallowed cannot be called back. So
frames leave just in time: never more than the lead ahead of the playhead. The playhead is what
the device acknowledged, extrapolated while it plays; where a device cannot acknowledge, the
pacing clock stands in.
"""

from collections import deque
from typing import NamedTuple

from hub.session.link import LinkProfile
from protocols.messages.robot import Playing, SpeechFrame
from protocols.qos import SPEECH_AHEAD_MS

_NS = 1_000_000_000
_MS = 1_000_000
_LEAD_GROWTH = 1.5
_ACK_TIMEOUT_NS = 500_000_000
"""How long the playhead is extrapolated past an acknowledgement before it waits for the next."""
_BETWEEN_ACKS_MS = 150
"""Devices acknowledge ten times a second: what is claimed as heard runs no further ahead."""
_JOIN_TIMEOUT_NS = 500_000_000
"""How long the end of a response waits for audio that is still on the media lane."""


Frame = tuple[SpeechFrame, bytes]
"""A frame that may leave now: its header and its samples."""


class _Piece(NamedTuple):
    first_sample: int
    energy: int
    pcm: bytes

    @property
    def end(self) -> int:
        return self.first_sample + len(self.pcm) // 2


class Playout:
    """Speech of one robot on its way to the loudspeaker. Pure: every call is told the time.

    At most one turn plays; ``fence`` is the highest turn that may not. Samples count from 0 on
    the turn's own timeline, at ``rate_hz``, mono s16le. What was sent is kept until the device has
    acknowledged it, for a connection that follows a lost one: the lead bounds that.
    """

    def __init__(self, profile: LinkProfile, rate_hz: int, fence: int = 0) -> None:
        self.profile = profile
        self.rate_hz = rate_hz
        self.fence = fence
        self.turn = 0
        self._can_flush = profile.can_flush
        self._frame_samples = profile.frame_ms * rate_hz // 1000
        self._most_samples = int(profile.max_lead_ms * rate_hz // 1000)
        # Beyond it frames would wait for acknowledgements, and leave in lumps of what was played
        # between two of them.
        self._widest_ms = max(profile.lead_ms, profile.max_lead_ms - _BETWEEN_ACKS_MS)
        self._widen(profile.lead_ms)
        self.stale = 0
        self.gaps = 0
        self.quiet_until_ns = 0
        """Until then ``due`` has nothing to give, unless something else happens here: looking is
        what pacing costs, four times a frame."""
        self._open, self._held_ns = False, 0
        self._pieces: deque[_Piece] = deque()
        self._cut = 0
        """Bytes of the first piece that have left."""
        self._kept: deque[_Piece] = deque()
        """What has left and was not acknowledged."""
        self._away = False
        self._received = self._sent = self._played = 0
        self._total, self._finished_ns = -1, 0
        self._anchor_ns = self._base = 0
        self._underruns = 0
        self._granted_ms = 0

    def begin(self, turn: int) -> None:
        """Expect the speech of ``turn``; whatever played before is over."""
        if turn <= max(self.fence, self.turn):
            return
        self.turn = turn
        self.quiet_until_ns = 0
        self._open, self._held_ns = False, 0
        self._drop()
        self._received = self._sent = self._played = 0
        self._total, self._finished_ns = -1, 0
        self._anchor_ns = self._base = self._underruns = self._granted_ms = 0

    def open(self, turn: int) -> None:
        """The face is set: the speech of ``turn`` may leave."""
        if turn == self.turn > self.fence:
            self._open = True

    def push(self, turn: int, first_sample: int, energy: int, pcm: bytes) -> bool:
        """Take audio from tts; False if it is stale. What was lost on the way becomes silence, so
        that the timeline stays that of the words, and is counted."""
        if turn != self.turn or turn <= self.fence or first_sample < self._received:
            self.stale += 1
            return False
        if first_sample > self._received:
            self.gaps += 1
            self._pad(first_sample)
        self._pieces.append(_Piece(first_sample, energy, pcm))
        self._received += len(pcm) // 2
        return True

    def finish(self, turn: int, samples: int, now_ns: int) -> None:
        """The response has ``samples`` samples; what is missing is waited for a moment."""
        if turn == self.turn:
            self._total, self._finished_ns = samples, now_ns

    def _pad(self, until: int) -> None:
        self._pieces.append(_Piece(self._received, 0, bytes(2 * (until - self._received))))
        self._received = until

    def flush(self, turn: int) -> None:
        """Nothing of a turn up to ``turn`` leaves any more."""
        self.fence = max(self.fence, turn)
        if self.turn <= self.fence:
            self._drop()
            self._open = False

    def _drop(self) -> None:
        self._pieces.clear()
        self._cut = 0
        self._kept.clear()

    def suspend(self) -> None:
        """The connection is gone: nothing leaves, and only what was acknowledged counts as heard."""
        self._away = True
        self._anchor_ns = self._held_ns = 0
        self._base = self._played

    def resume(self, playing: Playing | None, now_ns: int) -> None:
        """Another connection of the same device has come: send on from the sample that the device
        does not have, which is the first unheard one where it does not know."""
        self._away, self._held_ns, self.quiet_until_ns = False, 0, 0
        from_sample = self._played
        if playing is not None and playing.turn == self.turn:
            self._played = min(max(self._played, playing.samples), self._sent)
            from_sample = min(max(self._played, playing.received), self._sent)
        self._rewind(from_sample)
        self._base = self._played
        self._anchor_ns = now_ns if self._sent > self._played else 0

    def _rewind(self, sample: int) -> None:
        """The next frame begins at ``sample``, which was not acknowledged; nowhere else if nothing that
        has left is here any more."""
        if self._can_flush and self._sent > sample and (self._kept or self._cut):
            self._cut = 0
            while not self._pieces or self._pieces[0].first_sample > sample:
                self._pieces.appendleft(self._kept.pop())
            self._cut = 2 * (sample - self._pieces[0].first_sample)
            self._sent = sample

    def hold(self, now_ns: int) -> None:
        """Stop sending, keep everything. A device that acknowledges says where it stopped."""
        if not self._can_flush:
            self._played = self.played_samples(now_ns)
        self._base = self._played
        self._held_ns = now_ns

    def release(self, now_ns: int) -> None:
        """Go on after ``hold``."""
        self._held_ns = self.quiet_until_ns = 0
        self._anchor_ns = now_ns if self._sent else 0

    def acknowledge(self, turn: int, samples: int, underruns: int, now_ns: int) -> None:
        """The device has played ``samples`` of ``turn``. An underrun widens the lead."""
        if turn != self.turn or not 0 <= samples <= self._sent:
            return
        estimated = self.played_samples(now_ns)
        played = self._played = max(self._played, samples)
        while self._kept and self._kept[0].end <= played:
            self._kept.popleft()
        self._base, self._anchor_ns = played, now_ns
        if played > estimated:
            self.quiet_until_ns = 0
        if self._held_ns:
            self._held_ns = now_ns
        if underruns > self._underruns:
            self._underruns, self.quiet_until_ns = underruns, 0
            self._widen(min(self.lead_ms * _LEAD_GROWTH, self._widest_ms))

    def _widen(self, lead_ms: float) -> None:
        self.lead_ms = lead_ms
        self._lead_samples = int(lead_ms * self.rate_hz // 1000)

    def played_samples(self, now_ns: int) -> int:
        """Samples that have left the loudspeaker, as far as is known."""
        if self._held_ns or not self._anchor_ns:
            return self._base
        elapsed = now_ns - self._anchor_ns
        if elapsed > _ACK_TIMEOUT_NS and self._can_flush:
            elapsed = _ACK_TIMEOUT_NS
        played = self._base + elapsed * self.rate_hz // _NS
        return played if played < self._sent else self._sent

    def heard_ms(self, now_ns: int) -> int:
        """What the user has heard for certain: acknowledged, or by the pacing clock."""
        samples = self._played if self._can_flush else self.played_samples(now_ns)
        return samples * 1000 // self.rate_hz

    def position_ms(self, now_ns: int) -> int:
        """The best estimate of what the user has heard by now, for a turn that is cut: between two
        acknowledgements the loudspeaker goes on. It never says that the response is over."""
        if not self._can_flush or not self._anchor_ns:
            return self.heard_ms(now_ns)
        until = self._held_ns or now_ns
        elapsed = max(0, min(until - self._anchor_ns, _BETWEEN_ACKS_MS * _MS))
        estimate = min(self._sent, self._played + elapsed * self.rate_hz // _NS)
        if estimate == self._total:
            return self.heard_ms(now_ns)
        return estimate * 1000 // self.rate_hz

    def due(self, now_ns: int, epoch: int = 0) -> list[Frame]:
        """The frames that may leave now, in order, for the connection of ``epoch``."""
        if not self._open or self._held_ns or self._away:
            return []
        if self._received < self._total and now_ns - self._finished_ns > _JOIN_TIMEOUT_NS:
            self.gaps += 1
            self._pad(self._total)
        position = self.played_samples(now_ns)
        if 0 < self._sent <= position:
            self._run_dry()
        # Where a device acknowledges, the playhead between two acknowledgements is a guess, too high
        # by what the wire delays. So the guess may use up the room between the lead and the largest
        # lead, and no more: what the device has to hold is bounded whatever the wire does.
        limit, most = position + self._lead_samples, self._played + self._most_samples
        if limit > most and self._can_flush:
            limit = most
        size = self._frame_samples
        frames: list[Frame] = []
        while self._sent + size <= limit:
            available = self._received - self._sent
            # Only the last frame of a response is shorter.
            if available < size and (available <= 0 or self._received != self._total):
                break
            frames.append(self._take(size, epoch))
            if not self._anchor_ns:
                self._anchor_ns = now_ns
        if self._anchor_ns and self._can_flush and self._received - self._sent >= size:
            # Only the lead holds the next frame back.
            self.quiet_until_ns = now_ns + (self._sent + size - limit) * _NS // self.rate_hz
        return frames

    def _run_dry(self) -> None:
        """The loudspeaker has nothing left: it plays on from the moment at which more leaves."""
        self._base, self._anchor_ns = self._sent, 0
        if not self._can_flush:
            self._played = self._sent

    def _take(self, size: int, epoch: int) -> Frame:
        """The next ``size`` samples, or all there are."""
        first, end, piece = self._sent, self._cut + 2 * size, self._pieces[0]
        pcm = piece.pcm[self._cut : end]
        self._cut = end
        if end >= len(piece.pcm):
            self._leave()
            if end > len(piece.pcm):
                pcm += self._rest(2 * size - len(pcm))
        samples = len(pcm) // 2
        self._sent = first + samples
        header = SpeechFrame(
            epoch=epoch, turn=self.turn, first_sample=first, samples=samples, energy=piece.energy
        )
        return header, pcm

    def _rest(self, missing: int) -> bytes:
        """The next ``missing`` bytes, across pieces; fewer if there are not so many."""
        parts = []
        while self._pieces and missing:
            piece = self._pieces[0].pcm
            parts.append(piece[:missing])
            if len(piece) > missing:
                self._cut = missing
            else:
                self._leave()
            missing -= len(parts[-1])
        return b"".join(parts)

    def _leave(self) -> None:
        """All of the first piece has left."""
        piece = self._pieces.popleft()
        self._cut = 0
        if self._can_flush:
            self._kept.append(piece)

    @property
    def all_sent(self) -> bool:
        """Whether the whole response has left for the robot."""
        return self._sent == self._total

    def all_heard(self, now_ns: int) -> bool:
        """Whether the whole response has left the loudspeaker."""
        return self.all_sent and self.heard_ms(now_ns) >= self._total * 1000 // self.rate_hz

    def ahead_ms(self, now_ns: int) -> int:
        """Speech that is here or on the wire, and not yet heard: what credit bounds."""
        heard = self._played if self._can_flush else self.played_samples(now_ns)
        return (self._received - heard) * 1000 // self.rate_hz

    @property
    def active(self) -> bool:
        """Whether the ticker has anything to do here."""
        if self.turn <= self.fence or (self.all_sent and self._is_over):
            return False
        return self._open or bool(self._pieces)

    @property
    def _is_over(self) -> bool:
        """Nothing is due any more. Where the pacing clock stands in for the loudspeaker, it has to
        be looked at until the end."""
        return self._can_flush or self._played >= self._total

    @property
    def sent_samples(self) -> int:
        return self._sent

    def credit_ms(self, now_ns: int) -> int | None:
        """The new absolute credit for tts, or None while a grant would be less than half a second
        of news."""
        grant = self.heard_ms(now_ns) + SPEECH_AHEAD_MS
        if self.turn <= self.fence or grant < self._granted_ms + 500:
            return None
        self._granted_ms = grant
        return grant
