"""The body and its surroundings: a room, two wheels, a range sensor, a battery, a ball. Pure.

Everything follows from the seed and the times it is told: a scenario can say where the robot will
be. Skills act here, so a plan has consequences that can be seen.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, pi
from typing import Any

from protocols.plan import Power, WorldState
from robot_sim.room_plan import (
    RANGE_MAX_MM,
    TRACK_MM,
    Disc,
    Pose,
    Room,
    Seen,
    driven,
    free_ahead,
    kept_inside,
    look,
)
from robot_sim.skills import STILL, Senses, Twist, safe, stops, wish

STEP_NS = 20_000_000
"""The supervisor's loop: fifty steps a second."""
MOST_STEPS = 500
"""After a suspend the world does not make up for more."""
LOOK_NS = 100_000_000
"""A picture of the camera, as the robot's own eyes take it."""
HFOV_DEG = 62.0
BALL_GAINED, BALL_LOST = 0.60, 0.35
"""Confidence at which a ball is noticed, and at which it is lost again."""
CLOSE_MM, CLEAR_MM = 450.0, 650.0
FULL_MV, EMPTY_MV = 8_400, 6_400
_EVENTS_KEPT = 8
_DRAIN_PER_S, _DRAIN_PER_MM = 1 / 14_400, 1 / 4_000_000
"""Four hours at rest; driving costs a quarter of it a kilometre."""
_RANGE_NOISE_MM = 4.0


AT_REST = "greet_on_button"
"""What a robot does that nobody has sent anywhere."""
EMPTY = Room()
IN_THE_MIDDLE = Pose(EMPTY.width / 2, EMPTY.depth / 2, pi / 2)


@dataclass(frozen=True)
class Start:
    """How a world begins."""

    room: Room = EMPTY
    pose: Pose = IN_THE_MIDDLE
    skill: str = AT_REST
    charge: float = 0.9
    seed: int = 1


def with_ball(bearing_left: bool = False) -> Start:
    """A room with a red ball that the robot does not look at yet."""
    return Start(Room(ball=Disc(900.0 if bearing_left else 3_100.0, 1_900.0, 60.0)))


def in_view() -> Start:
    """A room with a red ball that the robot sees a bit to its right, more than a metre away."""
    return Start(Room(ball=Disc(2_500.0, 2_600.0, 60.0)))


class World:
    """``notice`` is told of every event as it happens, by its name."""

    def __init__(
        self,
        robot_id: str,
        start: Start = Start(),
        notice: Callable[[str], None] = lambda event: None,
    ) -> None:
        self._robot_id = robot_id
        self._room = start.room
        self._notice = notice
        self._random = random.Random(start.seed)
        self.pose = start.pose
        self.skill = start.skill
        self.charge = start.charge
        self.faults: tuple[str, ...] = ()
        self.twist = STILL
        self._wheels = (0.0, 0.0)
        self._range_mm = free_ahead(start.room, start.pose)
        self._ball: Seen | None = None
        self._ball_confidence = 0.0
        self._ball_at_ns = 0
        self._has_ball = self._is_close = self._is_stopped = False
        self._drift = 0.0
        self._at_ns = self._looked_ns = self._skill_ns = 0
        self._seq = 0
        self._events: list[str] = []

    @property
    def room(self) -> Room:
        return self._room

    @property
    def mode(self) -> str:
        """``ERROR`` with a fault, else what the skill makes of the robot."""
        if self.faults:
            return "ERROR"
        return "IDLE" if self.skill == AT_REST else "WANDER"

    def begin_skill(self, name: str) -> None:
        """The planner has started a behaviour."""
        self.skill = name
        self._skill_ns = self._at_ns
        self.note(f"skill {name}")

    def note(self, event: str) -> None:
        """Something happened that a planner may want to know."""
        self._events = [*self._events, event][-_EVENTS_KEPT:]
        self._notice(event)

    def fault(self, *names: str) -> None:
        """These are the faults from now on; none: all is well again."""
        if bool(names) != bool(self.faults):
            self.note("fault.raised" if names else "fault.cleared")
        self.faults = names

    def put_ball(self, ball: Disc | None) -> None:
        """Somebody has put the ball elsewhere, or taken it away."""
        self._room = self._room._replace(ball=ball)

    def advance(self, now_ns: int) -> None:
        """Live until ``now_ns``, step by step."""
        if not self._at_ns:
            self._at_ns = now_ns
        steps = (now_ns - self._at_ns) // STEP_NS
        if steps > MOST_STEPS:
            self._at_ns = now_ns - MOST_STEPS * STEP_NS
            steps = MOST_STEPS
        for _ in range(steps):
            self._at_ns += STEP_NS
            self._step()

    def wake(self, now_ns: int) -> None:
        """See ``Body``."""
        self._at_ns = now_ns
        if self.skill != AT_REST:
            self.note(f"skill {self.skill} given up")
            self.skill, self.twist, self._wheels = AT_REST, STILL, (0.0, 0.0)

    def state(self, now_ns: int, *, talking: bool, listening: bool) -> dict[str, Any]:
        """The world state of this moment, as it goes over the wire."""
        self.advance(now_ns)
        self._seq += 1
        ball, millivolts = self._ball, round(EMPTY_MV + (FULL_MV - EMPTY_MV) * self.charge)
        return WorldState(
            robot_id=self._robot_id,
            seq=self._seq,
            monotonic_ts_ms=now_ns // 1_000_000,
            mode=self.mode,
            battery_mv=millivolts,
            power=Power(source="battery", voltage_mv=millivolts, soc_pct=round(100 * self.charge)),
            range_mm=round(self._range_mm),
            faults=list(self.faults),
            ball_detected=self._has_ball,
            ball_confidence=round(self._ball_confidence, 3),
            ball_bearing_deg=0.0 if ball is None else round(ball.bearing_deg, 1),
            vision_age_ms=(now_ns - self._looked_ns) / 1e6 if self._looked_ns else -1.0,
            speed_l_mm_s=round(self._wheels[0]),
            speed_r_mm_s=round(self._wheels[1]),
            v_capped=self.twist.v,
            w_capped=self.twist.w,
            planner_active_skill=self.skill,
            recent_events=self._events,
            face_talking=talking,
            face_listening=listening,
        ).model_dump()

    @property
    def ball(self) -> Seen | None:
        """The ball as it was seen last."""
        return self._ball

    @property
    def sees_ball(self) -> bool:
        """Whether the last look found it."""
        return self._ball is not None and self._ball_at_ns == self._looked_ns

    # inside

    def _step(self) -> None:
        seconds = STEP_NS / 1e9
        self._sense()
        senses = self._senses()
        self._is_stopped = stops(senses, self._is_stopped)
        self._drift += (self._random.uniform(-1, 1) - self._drift) * 0.02
        self.twist = safe(wish(self.skill, senses, self._drift), senses, self._is_stopped)
        self._wheels = wheels(self.twist)
        before = self.pose
        self.pose = kept_inside(self._room, driven(before, *self._wheels, seconds))
        moved = abs(self.pose.x - before.x) + abs(self.pose.y - before.y)
        spent = seconds * _DRAIN_PER_S + moved * _DRAIN_PER_MM
        self.charge = max(0.0, self.charge - spent)

    def _senses(self) -> Senses:
        return Senses(
            self._range_mm,
            self._ball,
            (self._at_ns - self._ball_at_ns) / 1e9 if self._ball_at_ns else float("inf"),
            (self._at_ns - self._skill_ns) / 1e9,
            self.faults,
        )

    def _sense(self) -> None:
        noise = self._random.gauss(0, _RANGE_NOISE_MM)
        free_mm = free_ahead(self._room, self.pose) + noise
        self._range_mm = max(0.0, min(RANGE_MAX_MM, free_mm))
        if self._range_mm < CLOSE_MM and not self._is_close:
            self._is_close = True
            self.note("safety.obstacle_close")
        elif self._range_mm > CLEAR_MM and self._is_close:
            self._is_close = False
            self.note("safety.obstacle_cleared")
        if self._at_ns - self._looked_ns >= LOOK_NS:
            self._look()

    def _look(self) -> None:
        self._looked_ns = self._at_ns
        seen = look(self._room, self.pose, self._room.ball, HFOV_DEG)
        # A detector is surer of what is near, and needs some pictures to change its mind.
        sure = 0.0 if seen is None else 1 - exp(-3_000 / max(seen.distance_mm, 1.0))
        self._ball_confidence += (sure - self._ball_confidence) * 0.5
        if seen is not None:
            self._ball, self._ball_at_ns = seen, self._at_ns
        if self._ball_confidence >= BALL_GAINED and not self._has_ball:
            self._has_ball = True
            self.note("vision.ball_acquired")
        elif self._ball_confidence < BALL_LOST and self._has_ball:
            self._has_ball = False
            self.note("vision.ball_lost")


def wheels(twist: Twist) -> tuple[float, float]:
    """Left and right wheel, mm/s, for a forward speed and a turn."""
    turn = twist.w / 1_000 * TRACK_MM / 2
    return twist.v - turn, twist.v + turn
