"""The loudspeaker of a simulated robot: a playout buffer on a clock, exact to the sample.

Nothing here waits: the caller says what time it is, and gets the cues that have fallen due. What
stands at or below the fence is never played again, whatever the wire still delivers.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from protocols.identity import Fence, Stamp
from protocols.messages.robot import Flushed, Played, Playing, SpeechFrame
from robot_sim.wav import Pcm
from robot_sim.yielding import Loudness

Tape = Callable[[bytes], None]
"""Takes every sample that leaves the loudspeaker or enters the microphone, silence included."""

_SECOND_NS = 1_000_000_000
_REPORTS_PER_SECOND = 10
_REMEMBERED_TURNS = 512


class Moment(StrEnum):
    """Why a cue is given."""

    BEGAN = "began"
    GOES_ON = "goes_on"
    HELD = "held"
    ENDED = "ended"
    FLUSHED = "flushed"


class Cue(NamedTuple):
    """A moment of a response's playout, with the report that the hub is due."""

    moment: Moment
    played: Played


class _Part(NamedTuple):
    pcm: Pcm
    energy: int


@dataclass(slots=True)
class _Response:
    """One turn's audio. ``position`` samples have left the loudspeaker, ``received`` have come."""

    epoch: int
    turn: int
    position: int = 0
    received: int = 0
    total: int | None = None
    gain: float = 1.0
    held: bool = False
    started: bool = False
    dry: bool = False
    underruns: int = 0
    reported: int = 0
    parts: deque[_Part] = field(default_factory=deque)

    @property
    def over(self) -> bool:
        return self.total is not None and not self.parts and self.position >= self.total

    def take(self, samples: int, loudest: float) -> _Part | None:
        """Up to ``samples`` samples from the front, at the present gain and no louder than
        ``loudest``; None if there are none."""
        if not self.parts:
            return None
        part = self.parts.popleft()
        if len(part.pcm) > samples:
            self.parts.appendleft(_Part(part.pcm[samples:], part.energy))
        pcm = part.pcm[:samples]
        self.position += len(pcm)
        gain = min(self.gain, loudest)
        if gain != 1.0:
            pcm = (pcm * gain).astype(np.int16)
        return _Part(pcm, part.energy)

    def append(self, part: _Part) -> None:
        """Take audio in; a buffer that had run dry in the middle counts as an underrun."""
        if self.dry:
            self.dry = False
            self.underruns += 1
        self.parts.append(part)
        self.received += len(part.pcm)

    def supersede(self) -> None:
        """A newer turn speaks: what is held is given up, what is buffered plays out."""
        if self.held:
            self.parts.clear()
            self.received = self.position
        self.total = self.received

    @property
    def state(self) -> Played:
        return Played(
            epoch=self.epoch, turn=self.turn, samples=self.position, underruns=self.underruns
        )

    def report(self) -> Played:
        self.reported = self.position
        return self.state


class Speaker:
    """Plays the responses of a robot one after the other.

    ``counters`` names what did not go as it should: ``fenced`` and ``late`` frames were refused,
    ``duplicate`` frames had come before, a ``gap`` of missing samples was played as silence,
    ``odd`` frames did not hold the samples they announced.
    """

    def __init__(self, rate_hz: int, start_ns: int, tape: Tape | None = None) -> None:
        self.rate_hz = rate_hz
        self.counters: Counter[str] = Counter()
        self.energy = 0
        """Loudness of what sounds now, 0..255."""
        self.loudness = Loudness.FULL
        """See ``limit``."""
        self._start_ns = start_ns
        self._rendered = 0
        self._tape = tape
        self._fence = Fence()
        self._responses: dict[int, _Response] = {}
        self._finished: dict[int, int] = {}
        self._announced = (0, 0)

    @property
    def playing(self) -> Played | None:
        """Turn and position of what is on the loudspeaker; None while it is silent or held."""
        response = self._current()
        if response is None or not response.started or response.dry or self._waits(response):
            return None
        return response.state

    @property
    def position(self) -> Playing | None:
        """Where the newest response stands, for a hub that is to go on with it; None before any."""
        turn = max(*self._responses, *self._finished, 0, 0)
        if not turn:
            return None
        response = self._responses.get(turn)
        played = self.samples_played(turn)
        received = response.received if response else played
        return Playing(turn=turn, samples=played, received=received)

    @property
    def busy(self) -> bool:
        """Whether anything is left to play, held audio included."""
        return bool(self._responses)

    @property
    def fence(self) -> Stamp:
        """What stands at or below it is not played."""
        return self._fence.at

    def samples_played(self, turn: int) -> int:
        """How many samples of ``turn`` have left the loudspeaker."""
        response = self._responses.get(turn)
        return response.position if response else self._finished.get(turn, 0)

    def feed(self, header: SpeechFrame, pcm: bytes, now_ns: int) -> list[Cue]:
        """Buffer a speech frame; return the cues due until now."""
        cues = self.advance(now_ns)
        response = self._admit(header)
        if response is None:
            return cues
        samples = np.frombuffer(pcm, dtype="<i2")
        if len(samples) != header.samples:
            self.counters["odd"] += 1
        self._append(response, header, samples)
        return cues + self._end_finished()

    def _admit(self, header: SpeechFrame) -> _Response | None:
        """The response a frame belongs to; None where its turn may not sound any more."""
        if self._fence.is_stale(header.turn):
            self.counters["fenced"] += 1
            return None
        response = self._responses.get(header.turn)
        if response is None:
            if header.turn in self._finished or header.turn < max(self._responses, default=0):
                self.counters["late"] += 1
                return None
            for older in self._responses.values():
                older.supersede()
            response = _Response(header.epoch, header.turn, position=header.first_sample)
            response.received = response.reported = header.first_sample
            if self._announced[0] == header.turn:
                response.total = self._announced[1]
            self._responses[header.turn] = response
        response.epoch = max(response.epoch, header.epoch)
        return response

    def _append(self, response: _Response, header: SpeechFrame, pcm: Pcm) -> None:
        known = response.received - header.first_sample
        if known >= len(pcm):
            self.counters["duplicate"] += 1
            return
        if known < 0:
            self.counters["gap"] += 1
            pcm = np.concatenate([np.zeros(-known, np.int16), pcm])
            known = 0
        response.append(_Part(pcm[known:], header.energy))

    def finish(self, turn: int, samples: int, now_ns: int) -> list[Cue]:
        """Nothing follows after ``samples`` samples of ``turn``."""
        cues = self.advance(now_ns)
        response = self._responses.get(turn)
        if response is not None:
            response.total = samples
        else:
            # Control overtakes speech on a wire that is slow: the frames may be still to come.
            self._announced = turn, samples
        return cues + self._end_finished()

    def duck(self, turn: int, gain_db: float, now_ns: int) -> list[Cue]:
        """Play on, at ``gain_db``."""
        cues = self.advance(now_ns)
        if response := self._responses.get(turn):
            response.gain = 10 ** (gain_db / 20)
        return cues

    def limit(self, loudness: Loudness, now_ns: int) -> list[Cue]:
        """Play nothing louder than ``loudness``. At ``NONE`` it pauses, as if it were held."""
        cues = self.advance(now_ns)
        falls_silent = loudness is Loudness.NONE is not self.loudness
        self.loudness = loudness
        response = self._current()
        if response is None or response.held or not falls_silent:
            return cues
        self.energy = 0
        return [*cues, Cue(Moment.HELD, response.report())]

    def hold(self, turn: int, now_ns: int) -> list[Cue]:
        """Pause at the present sample and keep the rest."""
        cues = self.advance(now_ns)
        response = self._responses.get(turn)
        if response is None or response.held:
            return cues
        response.held = True
        self.energy = 0
        return [*cues, Cue(Moment.HELD, response.report())]

    def release(self, turn: int, now_ns: int) -> list[Cue]:
        """Go on at full volume from the sample it was held at."""
        cues = self.advance(now_ns)
        if response := self._responses.get(turn):
            response.gain = 1.0
            response.held = False
        return cues

    def flush(self, upto: Stamp, now_ns: int) -> tuple[list[Cue], Flushed]:
        """Throw away everything at or below ``upto``, now and for ever."""
        cues = self.advance(now_ns)
        self._fence.raise_to(upto)
        for turn in [turn for turn in self._responses if self._fence.is_stale(turn)]:
            response = self._responses[turn]
            if response.started:
                cues.append(Cue(Moment.FLUSHED, response.report()))
            self._retire(response)
            self.energy = 0
        played = self.samples_played(upto.turn)
        return cues, Flushed(epoch=upto.epoch, turn=upto.turn, samples=played)

    def adopt(self, epoch: int) -> None:
        """A connection of number ``epoch`` goes on with what is played."""
        for response in self._responses.values():
            response.epoch = epoch

    def abandon(self, now_ns: int) -> list[Cue]:
        """Nobody goes on with what is buffered: throw it away. The fence stays."""
        cues = self.advance(now_ns)
        for response in list(self._responses.values()):
            cues.append(Cue(Moment.FLUSHED, response.report()))
            self._retire(response)
        self.energy = 0
        return cues

    def forget(self, now_ns: int) -> None:
        """Another hub counts turns of its own: drop the buffer and lower the fence."""
        self.advance(now_ns)
        self._responses.clear()
        self._finished.clear()
        self._announced = (0, 0)
        self._fence = Fence()
        self.energy = 0

    def drop(self, now_ns: int) -> None:
        """The clock has jumped to ``now_ns``: nothing sounded meanwhile, and what is buffered will
        not. What is sent anew goes on at the first sample that was not played."""
        self._start_ns, self._rendered = now_ns, 0
        for response in self._responses.values():
            response.parts.clear()
            response.received = response.position
        self.energy = 0

    def advance(self, now_ns: int) -> list[Cue]:
        """Play until ``now_ns``; return what has to be reported, in order."""
        due = (now_ns - self._start_ns) * self.rate_hz // _SECOND_NS - self._rendered
        cues: list[Cue] = []
        while due > 0:
            response = self._current()
            part = None
            if response is not None and not self._waits(response):
                part = response.take(due, self.loudness.value)
            if response is None or part is None:
                self._sound_nothing(response, due)
                break
            due -= len(part.pcm)
            self._sound(part)
            cues += self._cues_of(response)
        return cues

    def _sound(self, part: _Part) -> None:
        self._rendered += len(part.pcm)
        self.energy = part.energy
        if self._tape is not None:
            self._tape(part.pcm.astype("<i2").tobytes())

    def _sound_nothing(self, response: _Response | None, samples: int) -> None:
        self._rendered += samples
        self.energy = 0
        if response is not None and response.started and not self._waits(response):
            response.dry = True
        if self._tape is not None:
            self._tape(bytes(2 * samples))

    def _cues_of(self, response: _Response) -> list[Cue]:
        if not response.started:
            response.started = True
            return [Cue(Moment.BEGAN, response.report()), *self._end_finished()]
        if response.over:
            return self._end_finished()
        if response.position - response.reported >= self.rate_hz // _REPORTS_PER_SECOND:
            return [Cue(Moment.GOES_ON, response.report())]
        return []

    def _end_finished(self) -> list[Cue]:
        over = [response for response in self._responses.values() if response.over]
        for response in over:
            self._retire(response)
        return [Cue(Moment.ENDED, response.report()) for response in over]

    def _retire(self, response: _Response) -> None:
        del self._responses[response.turn]
        self._finished[response.turn] = response.position
        while len(self._finished) > _REMEMBERED_TURNS:
            del self._finished[next(iter(self._finished))]

    def _waits(self, response: _Response) -> bool:
        return response.held or self.loudness is Loudness.NONE

    def _current(self) -> _Response | None:
        return self._responses[min(self._responses)] if self._responses else None
