"""Who has the floor: the robot, or somebody who speaks into what it says."""

from collections.abc import Callable

from protocols.messages.robot import Flush, Hold, Listening, Release, ToRobot, TurnBegin, Welcome
from robot_sim.ear import Ear
from robot_sim.events import Yielded
from robot_sim.speaker import Cue, Speaker
from robot_sim.yielding import Yielding, heard, settled


class Floor:
    """Lets a robot with an ``ear`` yield as :mod:`robot_sim.yielding` says, while it says something
    that may be interrupted and the hub takes what is said to it. ``hears`` is whether the hub does in
    a session of which it has not said so: it says nothing of what is as it was asked."""

    def __init__(
        self, ear: Ear, speaker: Speaker, notice: Callable[[Yielded], None], hears: bool
    ) -> None:
        self._ear, self._speaker, self._notice = ear, speaker, notice
        self._state = Yielding()
        self._asked = self._hears = hears
        self._firm = 0
        """The newest turn that is said to its end."""

    def told(self, message: ToRobot, now_ns: int) -> list[Cue]:
        """The hub has said ``message``."""
        match message:
            case Welcome(resumed=False):
                self._firm, self._hears = 0, self._asked
            case Listening(hearing=hears):
                self._hears = hears
            case TurnBegin(turn=turn, interruptible=False):
                self._firm = turn
            case Hold() | Release() | Flush():
                return self._become(settled(self._state), now_ns)
        return []

    def hear(self, pcm: bytes, now_ns: int) -> list[Cue]:
        """The microphone has heard ``pcm`` (16 kHz mono s16le), nothing of this robot in it."""
        spoken = self._speaker.position if self._speaker.busy else None
        if spoken is None or not self._hears or spoken.turn <= self._firm:
            self._ear.forget()
            return self._become(Yielding(), now_ns)
        state = self._state
        for probability in self._ear.hear(pcm):
            state = heard(state, probability, self._ear.samples)
        return self._become(state, now_ns)

    def _become(self, state: Yielding, now_ns: int) -> list[Cue]:
        changed = state.loudness is not self._state.loudness
        self._state = state
        if not changed:
            return []
        self._notice(Yielded(state.loudness))
        return self._speaker.limit(state.loudness, now_ns)
