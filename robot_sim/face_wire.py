"""A supervisor's face on a wire: what its typed face shows, as bytes for a port. Pure.

The mouth follows the loudspeaker: where that sounds ``lag_ns`` after it was given its samples, the
mouth waits as long. It never waits to close when the voice is cut.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from protocols.face_host import FaceHost, Step, Wish
from robot_sim.face import Face

CLOSED = -1
"""Stands for the energy of a mouth that is closed."""
_WAITING_MOUTHS = 256


class _Mouth(NamedTuple):
    due_ns: int
    energy: int


class FaceWire:
    """``write`` takes the bytes; it must not wait."""

    def __init__(self, write: Callable[[bytes], None], lag_ns: int = 0) -> None:
        self.host = FaceHost(Random(1).random)
        self.lag_ns = lag_ns
        self._write = write
        self._mouths: deque[_Mouth] = deque(maxlen=_WAITING_MOUTHS)

    def opened(self, now_ns: int) -> None:
        """The port is open."""
        self._sent(self.host.opened(now_ns))

    def closed(self) -> tuple[Wish, ...]:
        """The port is gone."""
        return self._sent(self.host.closed())

    def received(self, data: bytes, now_ns: int) -> tuple[Wish, ...]:
        """Bytes came; what the user of the face wants."""
        return self._sent(self.host.received(data, now_ns))

    def mirror(self, face: Face, now_ns: int) -> tuple[Wish, ...]:
        """Show what ``face`` shows now, and do what is due."""
        self._sent(self.host.converse(face.conversation, now_ns))
        self._sent(self.host.show(face.emotion, face.intensity, now_ns))
        self._mouths.append(_Mouth(now_ns + self.lag_ns, face.energy if face.talking else CLOSED))
        self._move(now_ns)
        return self._sent(self.host.advance(now_ns))

    def gesture(self, name: str, now_ns: int) -> None:
        """The face begins to show a gesture."""
        self._sent(self.host.gesture(name, now_ns))

    def cut(self, now_ns: int) -> None:
        """The voice stops here: the mouth does not wait for what was still to sound."""
        self._mouths.clear()
        self._sent(self.host.hush(now_ns))

    def _move(self, now_ns: int) -> None:
        """The mouth as the newest that is due has it."""
        energy = None
        while self._mouths and self._mouths[0].due_ns <= now_ns:
            energy = self._mouths.popleft().energy
        if energy == CLOSED:
            self._sent(self.host.hush(now_ns))
        elif energy is not None:
            self._sent(self.host.talk(energy, now_ns))

    def _sent(self, step: Step) -> tuple[Wish, ...]:
        if data := step.data:
            self._write(data)
        return step.wishes
