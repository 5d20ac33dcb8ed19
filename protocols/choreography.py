"""How a face changes: never at once, and one thing after the other. Pure.

A mood gives way with a blink, fades, and the next one rises; a conversation that goes on moves the
eyes. What is told goes in at a time, the pose of any later time comes out, with the gestures that
begin. Times in nanoseconds of one clock; call ``advance`` about every 20 ms.
"""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from protocols.messages.face import Conversation

_MS = 1_000_000
BLINK_MS, DOWN_MS, UP_MS = 100, 150, 200
"""A mood change: the blink before it, the fall of the old mood, the rise of the new one."""
HOLD_MS = 500
"""A mood that has risen stays for so long, whatever is felt meanwhile."""
GAZE_MS, TURN_BLINK_MS = 300, 180
"""The eyes on their way, and the blink with which a conversation goes on."""
NOD_AFTER_MS, NOD_MS = 100, 350
DONE_STILL_MS = 500
"""After the end of a conversation nothing begins for so long."""
BACKCHANNEL_MS = (3_000, 5_000)
ATTENTIVE_MS = 30_000
"""Who listens to nobody for so long nods no more."""

CENTRE = (0.0, 0.0)
GAZES = {Conversation.THINKING: (0.5, -0.3)}
"""Where the eyes go, right and down; elsewhere straight ahead."""


class Mood(NamedTuple):
    emotion: str
    intensity: float


class Pose(NamedTuple):
    """What the face shows: ``gaze_x`` to the right and ``gaze_y`` down, -1 to 1."""

    emotion: str
    intensity: float
    gaze_x: float
    gaze_y: float


class Move(NamedTuple):
    """A gesture that begins now."""

    gesture: str
    duration_ms: int


class _Phase(Enum):
    STILL = 0
    BLINK = BLINK_MS
    DOWN = DOWN_MS
    UP = UP_MS


class _Ramp(NamedTuple):
    """From one value to another in ``ms`` from ``begin_ns`` on."""

    start: float
    end: float
    begin_ns: int
    ms: int

    def at(self, now_ns: int) -> float:
        share = (now_ns - self.begin_ns) / (self.ms * _MS)
        return self.end if share >= 1 else self.start + (self.end - self.start) * max(0.0, share)


class Choreography:
    """See the module. ``chance`` gives numbers from 0 to 1, for when a listener nods. What is felt
    is shown in every state of a conversation."""

    def __init__(self, now_ns: int = 0, *, chance: Callable[[], float] = lambda: 0.5) -> None:
        self.conversation = Conversation.IDLE
        self._chance = chance
        self._felt = self._shown = Mood("neutral", 0.5)
        self._phase = _Phase.STILL
        self._phase_ns = self._held_until_ns = self._still_until_ns = now_ns
        self._intensity = _Ramp(0.5, 0.5, now_ns, 1)
        self._gaze = (_Ramp(0.0, 0.0, now_ns, 1), _Ramp(0.0, 0.0, now_ns, 1))
        self._conversing_ns = now_ns
        self._waiting: list[tuple[int, Move]] = []
        self._nod_ns = 0
        self._now_ns = now_ns

    @property
    def pose(self) -> Pose:
        """What the face shows at the time it was last advanced to."""
        x, y = (ramp.at(self._now_ns) for ramp in self._gaze)
        return Pose(self._shown.emotion, self._intensity.at(self._now_ns), x, y)

    @property
    def settled(self) -> bool:
        """Whether the mood that is wanted is the one that is shown, in full."""
        arrived = self._intensity.at(self._now_ns) == self._felt.intensity
        return self._phase is _Phase.STILL and self._shown == self._felt and arrived

    def feel(self, emotion: str, intensity: float, now_ns: int) -> None:
        """The robot feels so from now on; of what it feels in passing, the last counts."""
        self._felt = Mood(emotion, max(0.0, min(1.0, intensity)))
        self._begin(now_ns)

    def converse(self, state: Conversation, now_ns: int) -> None:
        """The conversation has come to ``state``."""
        if state is self.conversation:
            return
        before, self.conversation, self._conversing_ns = self.conversation, state, now_ns
        targets = GAZES.get(state, CENTRE)
        self._gaze = (
            _Ramp(self._gaze[0].at(now_ns), targets[0], now_ns, GAZE_MS),
            _Ramp(self._gaze[1].at(now_ns), targets[1], now_ns, GAZE_MS),
        )
        if state is Conversation.DONE:
            self._waiting.clear()
            self._still_until_ns = now_ns + DONE_STILL_MS * _MS
        else:
            self._gesture(Move("blink", TURN_BLINK_MS), now_ns)
        if state is Conversation.THINKING and before in (Conversation.LISTENING, Conversation.PTT):
            self._gesture(Move("nod", NOD_MS), now_ns + NOD_AFTER_MS * _MS)
        self._nod_ns = now_ns + self._pause_ns()
        self._begin(now_ns)

    def advance(self, now_ns: int) -> tuple[Move, ...]:
        """Move to ``now_ns``; the gestures that begin."""
        self._now_ns = max(self._now_ns, now_ns)
        while self._phase is not _Phase.STILL:
            over_ns = self._phase_ns + self._phase.value * _MS
            if over_ns > self._now_ns:
                break
            self._next(over_ns)
        self._begin(self._now_ns)
        self._listen(self._now_ns)
        begun = tuple(move for at_ns, move in self._waiting if at_ns <= self._now_ns)
        self._waiting = [(at_ns, move) for at_ns, move in self._waiting if at_ns > self._now_ns]
        return begun

    # inside

    def _begin(self, now_ns: int) -> None:
        """Start out for the mood that is wanted, unless the face is on its way or held."""
        wanted = self._felt
        if self._phase is not _Phase.STILL or wanted == self._shown:
            return
        if wanted.emotion == self._shown.emotion:
            self._ramp(wanted.intensity, now_ns, UP_MS)
            self._shown = wanted
        elif now_ns >= max(self._held_until_ns, self._still_until_ns):
            self._gesture(Move("blink", BLINK_MS), now_ns)
            self._phase, self._phase_ns = _Phase.BLINK, now_ns

    def _next(self, now_ns: int) -> None:
        """A phase is over."""
        self._phase_ns = now_ns
        match self._phase:
            case _Phase.BLINK:
                self._phase = _Phase.DOWN
                self._ramp(0.0, now_ns, DOWN_MS)
            case _Phase.DOWN:
                self._phase = _Phase.UP
                self._shown = self._felt
                self._ramp(self._shown.intensity, now_ns, UP_MS)
            case _:
                self._phase = _Phase.STILL
                self._held_until_ns = now_ns + HOLD_MS * _MS

    def _ramp(self, intensity: float, now_ns: int, ms: int) -> None:
        self._intensity = _Ramp(self._intensity.at(now_ns), intensity, now_ns, ms)

    def _gesture(self, move: Move, at_ns: int) -> None:
        if at_ns >= self._still_until_ns:
            self._waiting.append((at_ns, move))

    def _listen(self, now_ns: int) -> None:
        """Nod now and then to somebody who talks."""
        attentive = now_ns < self._conversing_ns + ATTENTIVE_MS * _MS
        if self.conversation is Conversation.LISTENING and attentive and now_ns >= self._nod_ns:
            self._gesture(Move("nod", NOD_MS), now_ns)
            self._nod_ns = now_ns + self._pause_ns()

    def _pause_ns(self) -> int:
        shortest, longest = BACKCHANNEL_MS
        return round((shortest + (longest - shortest) * self._chance()) * _MS)
