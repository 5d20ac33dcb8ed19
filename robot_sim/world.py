"""The little that this robot knows of itself and its surroundings, told honestly."""

from typing import Any

from protocols.plan import Power, WorldState

_EVENTS_KEPT = 8
_BATTERY_MV = 7400


class World:
    """A robot that stands still in an empty room on a full battery, and does as it is told.

    It sees no ball, since it has no camera; ``recent_events`` are the last things it did.
    """

    def __init__(self, robot_id: str) -> None:
        self._robot_id = robot_id
        self._seq = 0
        self._events: list[str] = []
        self.skill = "patrol_drift"

    def begin_skill(self, name: str) -> None:
        """The planner has started a behaviour."""
        self.skill = name
        self.note(f"skill {name}")

    def note(self, event: str) -> None:
        """Something happened that a planner may want to know."""
        self._events = [*self._events, event][-_EVENTS_KEPT:]

    def state(self, now_ns: int, *, talking: bool, listening: bool) -> dict[str, Any]:
        """The world state of this moment, as it goes over the wire."""
        self._seq += 1
        return WorldState(
            robot_id=self._robot_id,
            seq=self._seq,
            monotonic_ts_ms=now_ns // 1_000_000,
            mode="IDLE",
            battery_mv=_BATTERY_MV,
            power=Power(source="battery", voltage_mv=_BATTERY_MV, soc_pct=90),
            range_mm=1500,
            planner_active_skill=self.skill,
            recent_events=self._events,
            face_talking=talking,
            face_listening=listening,
        ).model_dump()
