"""What carries the face: wheels in a simulated room, or nothing that moves."""

from typing import Any, Protocol

_EVENTS_KEPT = 8


class Body(Protocol):
    """What a supervisor needs of it; times in nanoseconds of the robot's clock."""

    def begin_skill(self, name: str) -> None:
        """The planner has started a behaviour."""

    def note(self, event: str) -> None:
        """Something happened that a planner may want to know."""

    def advance(self, now_ns: int) -> None:
        """Live until ``now_ns``."""

    def wake(self, now_ns: int) -> None:
        """The clock has jumped to ``now_ns``: nothing was lived through, and what was begun before
        is given up."""

    def state(self, now_ns: int, *, talking: bool, listening: bool) -> dict[str, Any]:
        """The world state of this moment, as ``protocols/plan.py`` has it."""


class Standing:
    """A body without wheels and sensors: it stands where it was put, and says of itself nothing
    that it cannot know."""

    def __init__(self, robot_id: str) -> None:
        self._robot_id = robot_id
        self._seq = 0
        self._events: list[str] = []

    def begin_skill(self, name: str) -> None:
        self.note(f"skill {name} without a body")

    def note(self, event: str) -> None:
        self._events = [*self._events, event][-_EVENTS_KEPT:]

    def advance(self, now_ns: int) -> None:
        """Nothing moves."""

    def wake(self, now_ns: int) -> None:
        """Nothing was begun."""

    def state(self, now_ns: int, *, talking: bool, listening: bool) -> dict[str, Any]:
        self._seq += 1
        return {
            "robot_id": self._robot_id,
            "seq": self._seq,
            "monotonic_ts_ms": now_ns // 1_000_000,
            "mode": "IDLE",
            "range_mm": 0,
            "planner_active_skill": "",
            "recent_events": list(self._events),
            "face_talking": talking,
            "face_listening": listening,
        }
