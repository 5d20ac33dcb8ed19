"""A face inside this program: the simulated microcontroller, plugged straight into its host."""

import asyncio
from collections.abc import Callable

from robot_sim.clock import device_clock
from robot_sim.face_drawing import FaceState, state_of
from robot_sim.face_mcu import FaceMcu
from robot_sim.face_port import PortUser

LOOP_S = 0.01


class PluggedFace:
    """A ``FacePort``. The bytes are those of a serial line; only the line is missing."""

    def __init__(self, clock: Callable[[], int] = device_clock, drift_ppm: float = 0.0) -> None:
        self._clock = clock
        self._answers = bytearray()
        self.mcu = FaceMcu(clock(), drift_ppm)

    @property
    def shown(self) -> FaceState:
        """What it shows now."""
        return state_of(self.mcu)

    def write(self, data: bytes) -> None:
        """See ``FacePort``."""
        self._answers += self.mcu.receive(data, self._clock())

    async def run(self, user: PortUser) -> None:
        """See ``FacePort``."""
        user.face_opened()
        try:
            while True:
                told = bytes(self._answers) + self.mcu.advance(self._clock())
                self._answers.clear()
                if told:
                    user.face_received(told)
                await asyncio.sleep(LOOP_S)
        finally:
            user.face_closed()
