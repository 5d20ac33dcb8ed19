"""What a robot was told lately, by number, so that one that lost its connection gets the rest."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from protocols.codecs.robot import encode_text
from protocols.messages import robot

BOUND_BYTES = 64 * 1024
"""The oldest messages leave first; a robot that asks for one of those gets a snapshot."""

_NS_PER_MS = 1_000_000


def is_numbered(message: robot.ToRobot) -> bool:
    """Whether a robot must not miss it. A partial transcript is overtaken by the next one."""
    if isinstance(message, robot.Transcript):
        return message.final
    return isinstance(message, robot.Numbered)


class _Told(NamedTuple):
    message: robot.Numbered
    size: int
    at_ns: int


@dataclass
class Missed:
    """What is sent again, in order, and how much of what was missed is not, by reason."""

    messages: list[robot.Numbered] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    def leave_out(self, reason: str) -> None:
        self.left_out[reason] = self.left_out.get(reason, 0) + 1


class Ring:
    """The numbered messages of one session, the latest ``bound_bytes`` of them as JSON. Pure."""

    def __init__(self, bound_bytes: int = BOUND_BYTES) -> None:
        self.last = 0
        """The number given last."""
        self._bound = bound_bytes
        self._told: deque[_Told] = deque()
        self._bytes = 0

    def add(self, message: robot.Numbered, now_ns: int) -> robot.Numbered:
        """Give ``message`` the next number, keep it, and return it with that number."""
        self.last += 1
        numbered = msgspec.structs.replace(message, order=self.last)
        size = len(encode_text(numbered))  # type: ignore[arg-type]
        self._told.append(_Told(numbered, size, now_ns))
        self._bytes += size
        while self._bytes > self._bound:
            self._bytes -= self._told.popleft().size
        return numbered

    def since(self, order: int, now_ns: int) -> Missed | None:
        """What was told after number ``order``; None where the ring does not reach back so far.

        An action is not sent again once its ttl is over, and carries what is left of it otherwise.
        Nothing is sent again of a turn that was cut since: its flush follows.
        """
        first = self._told[0].message.order if self._told else self.last + 1
        if not first - 1 <= order <= self.last:
            return None
        told = [t for t in self._told if t.message.order > order]
        flushed = max(
            (t.message.turn for t in told if isinstance(t.message, robot.Flush)), default=0
        )
        missed = Missed()
        for message, _, at_ns in told:
            match message:
                case (
                    robot.Action(turn=turn) | robot.Emotion(turn=turn)
                    | robot.Gestures(turn=turn) | robot.SpeechText(turn=turn)
                ) if 0 < turn <= flushed:  # fmt: skip
                    missed.leave_out("fenced")
                case robot.Action(ttl_ms=ttl_ms):
                    left_ms = ttl_ms - (now_ns - at_ns) // _NS_PER_MS
                    if left_ms > 0:
                        missed.messages.append(msgspec.structs.replace(message, ttl_ms=left_ms))
                    else:
                        missed.leave_out("expired")
                case _:
                    missed.messages.append(message)
        return missed
