"""What a watcher is told of the way of a robot to its ball: lines, when there is something to tell."""

from robot_sim.room_plan import bearing
from robot_sim.skills import BALL_REACHED_MM, STILL
from robot_sim.world import World

EVERY_NS = 1_000_000_000
_SEEKING = ("investigate_ball", "scan_for_target")
_AROUND_MM = 60.0


class Errand:
    """Follows one world. A line a second while the robot is under way, and one when it is there."""

    def __init__(self) -> None:
        self._due_ns = 0
        self._skill = ""
        self._arrived = False

    def told(self, now_ns: int, world: World) -> list[str]:
        """The lines that are due."""
        if world.skill != self._skill:
            self._skill, self._arrived, self._due_ns = world.skill, False, now_ns
        if world.skill not in _SEEKING or self._arrived or now_ns < self._due_ns:
            return []
        self._due_ns = now_ns + EVERY_NS
        if self._is_there(world):
            self._arrived = True
            return [f"{_where(world)}; is there"]
        moves = world.twist != STILL
        return [f"{_where(world)}{', going' if moves and world.twist.v else ''}"]

    def _is_there(self, world: World) -> bool:
        if world.skill == "scan_for_target":
            return world.ball is not None and world.twist == STILL
        ball = world.room.ball
        if ball is None:
            return False
        return bearing(world.pose, ball).distance_mm <= BALL_REACHED_MM + _AROUND_MM


def _where(world: World) -> str:
    at = f"at {world.pose.x / 1_000:.1f}, {world.pose.y / 1_000:.1f} m"
    seen = world.ball
    if seen is None or not world.sees_ball:
        return f"{at}, sees no ball"
    side = "right" if seen.bearing_deg >= 0 else "left"
    away = f"{seen.distance_mm / 1_000:.1f} m away, {abs(seen.bearing_deg):.0f}° {side}"
    return f"{at}, ball {away}"
