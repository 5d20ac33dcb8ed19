"""The simulated body: geometry, senses, skills, and that safety has the last word."""

from math import cos, degrees, hypot, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.plan import WorldState
from protocols.vocabulary import SKILLS
from robot_sim.room_plan import (
    RADIUS_MM,
    RANGE_MAX_MM,
    TRACK_MM,
    Disc,
    Pose,
    Room,
    bearing,
    driven,
    free_ahead,
    kept_inside,
    look,
)
from robot_sim.skills import APPROACH_MM, BALL_REACHED_MM, STOP_MM, Senses, Twist, safe, stops
from robot_sim.world import STEP_NS, Start, World, wheels, with_ball

SECOND = 1_000_000_000
MIDDLE = Pose(2_000.0, 1_500.0, 0.0)


def living(start: Start, seconds: float, skill: str = "") -> World:
    world = World("r1", start)
    world.advance(SECOND)
    if skill:
        world.begin_skill(skill)
    live(world, SECOND, seconds)
    return world


def live(world: World, from_ns: int, seconds: float) -> None:
    for number in range(1, int(seconds) + 1):
        world.advance(from_ns + number * SECOND)
    world.advance(from_ns + round(seconds * SECOND))


def test_equal_wheels_drive_straight() -> None:
    assert driven(Pose(0, 0, pi / 2), 100, 100, 2) == pytest.approx((0, 200, pi / 2), abs=1e-9)


def test_opposite_wheels_turn_on_the_spot() -> None:
    x, y, heading = driven(Pose(5, 6, 0), -100, 100, 0.5)
    assert (x, y) == pytest.approx((5, 6))
    assert heading == pytest.approx(200 / TRACK_MM * 0.5)


def test_a_whole_circle_comes_back() -> None:
    turning = 100 / TRACK_MM
    x, y, heading = driven(Pose(1, 2, 0.3), 50, 150, 2 * pi / turning)
    assert (x, y, heading) == pytest.approx((1, 2, 0.3))


@given(st.floats(-300, 300), st.floats(-300, 300), st.floats(0, 3), st.integers(1, 20))
def test_an_arc_is_the_same_in_pieces(left: float, right: float, s: float, pieces: int) -> None:
    whole = driven(MIDDLE, left, right, s)
    pose = MIDDLE
    for _ in range(pieces):
        pose = driven(pose, left, right, s / pieces)
    assert (pose.x, pose.y) == pytest.approx((whole.x, whole.y), abs=1e-3)
    assert cos(pose.heading - whole.heading) == pytest.approx(1)


def test_the_range_is_to_the_nearest_thing_ahead() -> None:
    room = Room(obstacles=(Disc(2_800, 1_500, 100), Disc(2_500, 1_900, 100)))
    assert free_ahead(room, MIDDLE) == pytest.approx(800 - 100 - RADIUS_MM)
    assert free_ahead(Room(), MIDDLE) == pytest.approx(2_000 - RADIUS_MM)
    assert free_ahead(Room(width=9_000), MIDDLE) == RANGE_MAX_MM
    assert free_ahead(Room(), MIDDLE._replace(heading=-pi / 2)) == pytest.approx(1_500 - RADIUS_MM)


def test_bearings_are_positive_to_the_right() -> None:
    assert bearing(MIDDLE, Disc(3_000, 500, 1)).bearing_deg == pytest.approx(45)
    assert bearing(MIDDLE, Disc(3_000, 2_500, 1)).bearing_deg == pytest.approx(-45)


def test_the_camera_sees_what_is_in_its_field_and_not_hidden() -> None:
    ball = Disc(3_000, 1_500, 60)
    assert look(Room(ball=ball), MIDDLE, ball, 62) == pytest.approx((0, 1_000))
    assert look(Room(ball=ball), MIDDLE._replace(heading=1.0), ball, 62) is None
    hidden = Room(ball=ball, obstacles=(Disc(2_500, 1_500, 80),))
    assert look(hidden, MIDDLE, ball, 62) is None


@given(st.floats(-500, 5_000), st.floats(-500, 4_000))
def test_nothing_gets_out_of_the_room(x: float, y: float) -> None:
    room = Room()
    pose = kept_inside(room, Pose(x, y, 0))
    assert RADIUS_MM <= pose.x <= room.width - RADIUS_MM
    assert RADIUS_MM <= pose.y <= room.depth - RADIUS_MM


def test_the_same_seed_lives_the_same_life() -> None:
    lives = [living(Start(seed=7), 20, "patrol_drift").pose for _ in range(2)]
    assert lives[0] == lives[1]
    assert living(Start(seed=8), 20, "patrol_drift").pose != lives[0]


def test_how_often_it_is_looked_at_changes_nothing() -> None:
    world = World("r1", Start())
    world.advance(SECOND)
    world.begin_skill("patrol_drift")
    for at in range(SECOND, 11 * SECOND + 1, 7_000_000):
        world.advance(at)
    world.advance(11 * SECOND)
    assert world.pose == living(Start(), 10, "patrol_drift").pose


def test_a_robot_that_is_sent_to_the_ball_goes_and_looks_at_it() -> None:
    world = living(with_ball(), 25, "investigate_ball")
    ball = world.room.ball
    assert ball is not None
    apart = hypot(world.pose.x - ball.x, world.pose.y - ball.y)
    assert apart == pytest.approx(BALL_REACHED_MM, abs=40)
    assert abs(bearing(world.pose, ball).bearing_deg) < 6
    state = WorldState.model_validate(world.state(27 * SECOND, talking=False, listening=False))
    assert state.ball_detected
    assert "vision.ball_acquired" in state.recent_events
    assert (state.speed_l_mm_s, state.speed_r_mm_s) == (0, 0)


def test_a_ball_that_is_taken_away_is_lost() -> None:
    world = living(with_ball(), 25, "investigate_ball")
    world.put_ball(None)
    world.advance(28 * SECOND)
    state = WorldState.model_validate(world.state(28 * SECOND, talking=False, listening=False))
    assert not state.ball_detected
    assert state.recent_events[-1] == "vision.ball_lost"


def test_who_scans_stops_when_the_ball_is_there() -> None:
    world = living(with_ball(), 12, "scan_for_target")
    assert world.twist == Twist()
    assert world.ball is not None


def test_who_approaches_stops_before_the_wall() -> None:
    world = living(Start(pose=MIDDLE), 60, "approach_until_range")
    assert free_ahead(world.room, world.pose) == pytest.approx(APPROACH_MM, abs=30)


def test_who_retreats_backs_off_first() -> None:
    world = living(Start(pose=MIDDLE), 1.5, "retreat_and_recover")
    assert world.pose.x < MIDDLE.x - 100


def test_a_robot_with_a_fault_stands_still() -> None:
    world = World("r1", Start())
    world.advance(SECOND)
    world.begin_skill("patrol_drift")
    world.fault("STALL")
    before = world.pose
    world.advance(5 * SECOND)
    assert world.pose == before
    assert world.mode == "ERROR"
    world.fault()
    world.advance(8 * SECOND)
    assert world.pose != before


def test_driving_costs_more_than_standing() -> None:
    still, driving = living(Start(), 60), living(Start(), 60, "patrol_drift")
    assert driving.charge < still.charge < 0.9


def test_after_a_suspend_the_past_is_not_lived_through() -> None:
    world = World("r1", Start())
    world.advance(SECOND)
    world.begin_skill("patrol_drift")
    world.advance(100_000 * SECOND)
    assert world.charge > 0.89


@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("seed", range(5))
def test_no_skill_ever_runs_into_anything(skill: str, seed: int) -> None:
    room = Room(
        obstacles=(Disc(1_200, 800, 150), Disc(2_900, 2_300, 200)), ball=Disc(3_300, 700, 60)
    )
    world = World("r1", Start(room, seed=seed))
    world.advance(SECOND)
    world.begin_skill(skill)
    for number in range(1, 1_500):
        ahead = free_ahead(world.room, world.pose)
        world.advance(SECOND + number * STEP_NS)
        assert world.twist.v <= 0 or ahead > STOP_MM - 20


@given(st.floats(0, 2_000), st.floats(-400, 400), st.floats(-900, 900), st.booleans())
def test_safety_never_makes_a_robot_faster(ahead: float, v: float, w: float, was: bool) -> None:
    senses = Senses(ahead)
    is_stopped = stops(senses, was)
    left = safe(Twist(v, w), senses, is_stopped)
    assert abs(left.v) <= abs(v)
    assert left.w == w
    assert not (is_stopped and left.v > 0)


def test_wheels_turn_against_each_other_for_a_turn() -> None:
    left, right = wheels(Twist(0, 1_000))
    assert (left, right) == pytest.approx((-TRACK_MM / 2, TRACK_MM / 2))
    turned = driven(MIDDLE, left, right, 1).heading
    assert degrees(turned) == pytest.approx(degrees(1.0))
    assert sin(turned) > 0
