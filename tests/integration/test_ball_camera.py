"""The simulated robot's camera and the eyes that need no model: the ball is seen where it is."""

import math
from pathlib import Path

import pytest

from agents.planner.backends.reflex import ReflexPlanner
from agents.runtime.life import Agent
from agents.vision.agent import Chats
from agents.vision.backends.embedded import EmbeddedModel
from agents.vision.backends.scripted import ScriptedReader
from agents.vision.sight import Sight
from protocols.messages.robot import TurnEnd
from protocols.messages.session import Camera
from protocols.messages.turn import Outcome
from protocols.messages.vision import BallsSeen
from robot_sim.camera import HFOV_DEG, RollingBall, Shot
from robot_sim.robot import RobotOptions, SimulatedRobot
from tests.integration.stack import running

pytest.importorskip("cv2", reason="OpenCV finds the balls; install robot-hub[vision]")

SCENE = RollingBall()
AT_S = 1.0
"""When the ball is well to the right."""


class Still:
    """The scene as it is at one moment, for ever."""

    camera: Camera = SCENE.camera

    def shoot(self, at_s: float) -> Shot:
        return SCENE.shoot(AT_S)


async def test_the_ball_is_seen_where_it_is_and_told_of(tmp_path: Path) -> None:
    from agents.vision.backends.balls import ColourBalls

    balls = ColourBalls()
    eyes = EmbeddedModel(ScriptedReader(), balls)
    agent = Agent(balls, (Chats(eyes), Sight(balls)), capacity=2)
    async with running(
        tmp_path, planner=ReflexPlanner(), others=[("vision-primary", agent)]
    ) as hub:
        hub.observe(BallsSeen)
        options = RobotOptions(sees=Still(), fps=10.0)
        async with SimulatedRobot(hub.url, "r1", options) as robot:
            seen = await hub.fact(BallsSeen, lambda seen: bool(seen.balls))
            robot.write("what do you see")
            end = await robot.next(TurnEnd)
    ball = seen.balls[0]
    x, y = SCENE.centre(AT_S)
    focal = SCENE.width / 2 / math.tan(math.radians(HFOV_DEG / 2))
    assert ball.colour == "red"
    assert abs(ball.x - x) < 4
    assert abs(ball.y - y) < 4
    assert abs(ball.bearing_deg - math.degrees(math.atan2(x - SCENE.width / 2, focal))) < 1
    assert end.outcome is Outcome.DONE
    assert "red ball on the right" in end.response_text
