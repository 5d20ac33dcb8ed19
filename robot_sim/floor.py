"""Who has the floor: the robot, or somebody who speaks into what it says."""

from collections.abc import Callable

from protocols.messages.robot import Flush, Hold, Listening, Release, ToRobot, TurnBegin, Welcome
from robot_sim.ear import Ear
from robot_sim.events import Yielded
from robot_sim.speaker import Speaker
from robot_sim.yielding import Yielding, heard, settled


class Floor:
    """Lets a robot with an ``ear`` yield as :mod:`robot_sim.yielding` says, while it says something
    that may be interrupted and the hub takes what is said to it."""

    def __init__(self, ear: Ear, speaker: Speaker, notice: Callable[[Yielded], None]) -> None:
        self._ear, self._speaker, self._notice = ear, speaker, notice
        self._state = Yielding()
        self._hearing = True
        self._firm = 0
        """The newest turn that is said to its end."""

    def told(self, message: ToRobot) -> None:
        """The hub has said ``message``."""
        match message:
            case Welcome(resumed=False):
                self._firm = 0
            case Listening(hearing=hearing):
                self._hearing = hearing
            case TurnBegin(turn=turn, interruptible=False):
                self._firm = turn
            case Hold() | Release() | Flush():
                self._become(settled(self._state))

    def hear(self, pcm: bytes) -> None:
        """The microphone has heard ``pcm`` (16 kHz mono s16le), nothing of this robot in it."""
        spoken = self._speaker.position if self._speaker.busy else None
        if spoken is None or not self._hearing or spoken.turn <= self._firm:
            self._ear.forget()
            self._become(Yielding())
            return
        for probability in self._ear.hear(pcm):
            self._become(heard(self._state, probability, self._ear.samples))

    def _become(self, state: Yielding) -> None:
        if state.loudness is not self._state.loudness:
            self._speaker.loudness = state.loudness
            self._notice(Yielded(state.loudness))
        self._state = state
