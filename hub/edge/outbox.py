"""What waits for a robot's socket to take more. Pure."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from protocols.qos import QueueDepth

Frame = str | bytes
Renew = Callable[[], Frame | None]
"""Makes a frame anew at the moment it leaves; None if it is too late for it."""

CONTROL_BOUND_BYTES = 64 * 1024
SPEECH_BOUND_BYTES = 512 * 1024
"""Five seconds of 48 kHz; pacing keeps far below unless the client does not read."""


class _Queued(NamedTuple):
    turn: int
    frame: Frame
    renew: Renew | None = None


class Outbox:
    """Frames in the order in which they leave: control before speech, or all in one file.

    ``in_order`` is for wires whose messages mean something by their order alone. Speech of a cut
    turn can be taken out again; control never is.
    """

    def __init__(
        self,
        in_order: bool = False,
        control_bound: int = CONTROL_BOUND_BYTES,
        speech_bound: int = SPEECH_BOUND_BYTES,
    ) -> None:
        self._control: deque[_Queued] = deque()
        self._speech: deque[_Queued] = self._control if in_order else deque()
        self._bounds = (control_bound, speech_bound)
        self._control_bytes = 0
        self._speech_bytes = 0
        self.waiting = 0
        """How many frames wait."""

    def depths(self, owner: str) -> tuple[QueueDepth, QueueDepth]:
        """What waits for robot ``owner``, and how much may."""
        control, speech = self._bounds
        return (
            QueueDepth("edge.control_bytes", owner, self._control_bytes, control),
            QueueDepth("edge.speech_bytes", owner, self._speech_bytes, speech),
        )

    def put_control(self, frame: Frame, renew: Renew | None = None) -> bool:
        """Queue a control frame; False if that is more than may wait. ``renew`` is for what is
        true only for a while."""
        self._control.append(_Queued(0, frame, renew))
        self.waiting += 1
        self._control_bytes += len(frame)
        return self._control_bytes <= self._bounds[0]

    def put_speech(self, turn: int, frame: Frame) -> bool:
        """Queue a speech frame of ``turn`` (from 1); False if that is more than may wait."""
        self._speech.append(_Queued(turn, frame))
        self.waiting += 1
        self._speech_bytes += len(frame)
        return self._speech_bytes <= self._bounds[1]

    def pop(self) -> Frame | None:
        """The next frame to leave."""
        while source := self._control or self._speech:
            queued = source.popleft()
            self.waiting -= 1
            if queued.turn:
                self._speech_bytes -= len(queued.frame)
            else:
                self._control_bytes -= len(queued.frame)
            if (frame := _renewed(queued)) is not None:
                return frame
        return None

    def drop_speech(self, upto_turn: int) -> int:
        """Take out the speech of turns up to ``upto_turn``; return how many frames that were."""
        kept = [q for q in self._speech if not 0 < q.turn <= upto_turn]
        dropped = len(self._speech) - len(kept)
        if dropped:
            self._speech.clear()
            self._speech.extend(kept)
            self.waiting -= dropped
            self._speech_bytes = sum(len(q.frame) for q in kept if q.turn)
        return dropped

    def take_control(self) -> list[Frame]:
        """All control frames, for a last farewell; whatever else waits is thrown away."""
        control = [_renewed(q) for q in self._control if not q.turn]
        self._control.clear()
        self._speech.clear()
        self._control_bytes = self._speech_bytes = self.waiting = 0
        return [frame for frame in control if frame is not None]


def _renewed(queued: _Queued) -> Frame | None:
    return queued.frame if queued.renew is None else queued.renew()
