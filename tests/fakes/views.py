"""Robots as programs see them, put there by a test."""

from dataclasses import dataclass, field

from hub.errors import UnknownRobot
from hub.session.view import RobotView
from protocols.messages.robot import Capabilities, Hello
from protocols.messages.session import Camera

HELLO = Hello(capabilities=Capabilities(camera=Camera(hfov_deg=62.0, width=320, height=240)))


def a_view(robot: str = "r1", **fields: object) -> RobotView:
    """A robot that is connected and does nothing."""
    shown: dict[str, object] = {
        "robot": robot, "connected": True, "session": "sess-1", "epoch": 1, "turn": 0,
        "face": "listening", "emotion": "neutral", "intensity": 0.5, "hello": HELLO, "world": {},
        "profile": {},
    }  # fmt: skip
    return RobotView(**(shown | fields))  # type: ignore[arg-type]


@dataclass
class FakeViews:
    """A ``Views`` of the robots in ``robots``."""

    robots: dict[str, RobotView] = field(default_factory=dict)

    def put(self, view: RobotView) -> None:
        self.robots[view.robot] = view

    def view(self, robot: str) -> RobotView:
        if robot not in self.robots:
            raise UnknownRobot(f"robot {robot!r} is not known")
        return self.robots[robot]

    def connected(self) -> list[str]:
        return sorted(name for name, view in self.robots.items() if view.connected)
