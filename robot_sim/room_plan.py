"""Geometry of a simulated room: where the robot is, what is ahead of it, what its camera sees.

Millimetres and radians; x to the right, y up, headings counter-clockwise from the x axis. Pure.
"""

from math import atan2, cos, degrees, hypot, inf, pi, radians, remainder, sin, sqrt
from typing import NamedTuple

TRACK_MM = 150.0
"""Distance of the two wheels."""
RADIUS_MM = 90.0
"""Of the robot's round body."""
RANGE_MAX_MM = 2_000.0
CAMERA_REACH_MM = 3_000.0


class Pose(NamedTuple):
    x: float
    y: float
    heading: float


class Disc(NamedTuple):
    """Something round on the floor."""

    x: float
    y: float
    radius: float


class Room(NamedTuple):
    """A rectangle with its lower left corner at the origin, and what stands in it."""

    width: float = 4_000.0
    depth: float = 3_000.0
    obstacles: tuple[Disc, ...] = ()
    ball: Disc | None = None


class Seen(NamedTuple):
    """Where a thing is, from the camera: degrees to the right of its axis, and millimetres."""

    bearing_deg: float
    distance_mm: float


def driven(pose: Pose, left_mm_s: float, right_mm_s: float, seconds: float) -> Pose:
    """Where two wheels take the robot: along an arc, by the exact solution of the differential
    drive (Siegwart, Nourbakhsh and Scaramuzza, "Autonomous Mobile Robots", §3.2)."""
    forward, turning = (left_mm_s + right_mm_s) / 2, (right_mm_s - left_mm_s) / TRACK_MM
    turned = turning * seconds
    heading = remainder(pose.heading + turned, 2 * pi)
    if abs(turned) < 1e-9:
        way = forward * seconds
        return Pose(pose.x + way * cos(pose.heading), pose.y + way * sin(pose.heading), heading)
    radius = forward / turning
    return Pose(
        pose.x + radius * (sin(pose.heading + turned) - sin(pose.heading)),
        pose.y - radius * (cos(pose.heading + turned) - cos(pose.heading)),
        heading,
    )


def kept_inside(room: Room, pose: Pose) -> Pose:
    """The nearest place to ``pose`` that walls and obstacles leave free."""
    x, y = pose.x, pose.y
    for disc in _solid(room):
        apart, least = hypot(x - disc.x, y - disc.y), disc.radius + RADIUS_MM
        if 0 < apart < least:
            x = disc.x + (x - disc.x) * least / apart
            y = disc.y + (y - disc.y) * least / apart
    x = max(RADIUS_MM, min(room.width - RADIUS_MM, x))
    y = max(RADIUS_MM, min(room.depth - RADIUS_MM, y))
    return Pose(x, y, pose.heading)


def free_ahead(room: Room, pose: Pose) -> float:
    """Millimetres from the robot's front to whatever is straight ahead, at most the sensor's
    reach."""
    ways = [_to_walls(room, pose), *(_to_disc(pose, disc) for disc in _solid(room))]
    return max(0.0, min(min(ways) - RADIUS_MM, RANGE_MAX_MM))


def look(room: Room, pose: Pose, thing: Disc | None, hfov_deg: float) -> Seen | None:
    """``thing`` as the camera has it, if it is in its field and not hidden behind an obstacle."""
    if thing is None:
        return None
    seen = bearing(pose, thing)
    if abs(seen.bearing_deg) > hfov_deg / 2 or not 0 < seen.distance_mm < CAMERA_REACH_MM:
        return None
    aim = Pose(pose.x, pose.y, pose.heading - radians(seen.bearing_deg))
    if any(_to_disc(aim, disc) < seen.distance_mm - thing.radius for disc in room.obstacles):
        return None
    return seen


def bearing(pose: Pose, thing: Disc) -> Seen:
    """Direction and distance of a thing's middle."""
    ahead = atan2(thing.y - pose.y, thing.x - pose.x)
    off = -degrees(remainder(ahead - pose.heading, 2 * pi))
    return Seen(off, hypot(thing.x - pose.x, thing.y - pose.y))


def _solid(room: Room) -> tuple[Disc, ...]:
    return room.obstacles if room.ball is None else (*room.obstacles, room.ball)


def _to_walls(room: Room, pose: Pose) -> float:
    along, across = cos(pose.heading), sin(pose.heading)
    ways = (
        (room.width - pose.x) / along if along > 1e-9 else inf,
        -pose.x / along if along < -1e-9 else inf,
        (room.depth - pose.y) / across if across > 1e-9 else inf,
        -pose.y / across if across < -1e-9 else inf,
    )
    return min(ways)


def _to_disc(pose: Pose, disc: Disc) -> float:
    """Way along the heading to the rim of a disc, infinite if it passes by."""
    dx, dy = disc.x - pose.x, disc.y - pose.y
    ahead = dx * cos(pose.heading) + dy * sin(pose.heading)
    beside_squared = dx * dx + dy * dy - ahead * ahead
    if ahead <= 0 or beside_squared > disc.radius**2:
        return inf
    return max(0.0, ahead - sqrt(disc.radius**2 - beside_squared))
