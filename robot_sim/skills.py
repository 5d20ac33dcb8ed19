"""What a robot's skills make its wheels do, and what its safety leaves of it. Pure.

A skill looks at what the robot senses and says how fast it would drive and turn. Safety then slows
it down, whoever wishes the speed: the robot keeps its own reflexes, and the hub is advice.
"""

from typing import NamedTuple

from robot_sim.room_plan import Seen

CRUISE_MM_S, SLOW_MM_S = 200.0, 90.0
TURN_MRAD_S = 900.0
NEAR_MM, STOP_MM, RELEASE_MM = 300.0, 250.0, 350.0
WATCHFUL_MM = 500.0
BALL_REACHED_MM = 450.0
"""A ball's middle is looked at from here; nearer, safety would stop the robot."""
APPROACH_MM = 320.0
"""What is approached is this far ahead then."""
DEFAULT_SKILL = "patrol_drift"


class Senses(NamedTuple):
    """What the robot knows at this moment. ``ball`` as it was seen last, ``ball_age_s`` ago;
    ``skill_s`` is for how long the skill has been at work."""

    range_mm: float
    ball: Seen | None = None
    ball_age_s: float = float("inf")
    skill_s: float = 0.0
    faults: tuple[str, ...] = ()


class Twist(NamedTuple):
    """Forward mm/s and turning mrad/s, to the left positive."""

    v: float = 0.0
    w: float = 0.0


STILL = Twist()
_BLIND_S = 1.0
"""After so long without a picture of it, a ball is looked for instead of driven to."""


def wish(skill: str, senses: Senses, drift: float = 0.0) -> Twist:
    """What ``skill`` would do; ``drift`` (-1 to 1) is where an idle robot happens to wander."""
    match skill:
        case "investigate_ball":
            return _to_ball(senses)
        case "scan_for_target":
            return STILL if _sees_ball(senses) else Twist(0.0, TURN_MRAD_S)
        case "approach_until_range":
            return Twist(CRUISE_MM_S if senses.range_mm > APPROACH_MM else 0.0)
        case "avoid_obstacle":
            return _around(senses, drift) if senses.range_mm < WATCHFUL_MM else Twist(CRUISE_MM_S)
        case "retreat_and_recover":
            return Twist(-SLOW_MM_S) if senses.skill_s < 2.0 else _around(senses, drift)
        case "greet_on_button":
            return STILL
    if senses.range_mm < WATCHFUL_MM:
        return _around(senses, drift)
    return Twist(SLOW_MM_S, 300.0 * drift)


def safe(twist: Twist, senses: Senses, is_stopped: bool) -> Twist:
    """What safety leaves of a wish: nothing with a fault or when something is right ahead, less the
    nearer it is. Driving backwards and turning are never slowed by what is ahead."""
    if senses.faults:
        return STILL
    if twist.v <= 0:
        return twist
    if is_stopped:
        return Twist(0.0, twist.w)
    if senses.range_mm < NEAR_MM:
        return Twist(twist.v * 0.25, twist.w)
    if senses.range_mm < WATCHFUL_MM:
        return Twist(twist.v * 0.50, twist.w)
    return twist


def stops(senses: Senses, was_stopped: bool) -> bool:
    """Whether what is ahead stops the robot; it has to be further away to let it go on."""
    return senses.range_mm < (RELEASE_MM if was_stopped else STOP_MM)


def _sees_ball(senses: Senses) -> bool:
    return senses.ball is not None and senses.ball_age_s <= _BLIND_S


def _to_ball(senses: Senses) -> Twist:
    ball = senses.ball
    if ball is None or not _sees_ball(senses):
        return Twist(0.0, TURN_MRAD_S / 2)
    turn = max(-TURN_MRAD_S, min(TURN_MRAD_S, -40.0 * ball.bearing_deg))
    if ball.distance_mm <= BALL_REACHED_MM:
        return Twist(0.0, turn if abs(ball.bearing_deg) > 3 else 0.0)
    straight = max(0.0, 1 - abs(ball.bearing_deg) / 45)
    return Twist(CRUISE_MM_S * straight, turn)


def _around(senses: Senses, drift: float) -> Twist:
    return Twist(0.0, TURN_MRAD_S if drift >= 0 else -TURN_MRAD_S)
