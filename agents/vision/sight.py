"""Sight: the balls in the newest camera frame of every robot that has a camera.

A frame that is being looked at and one that waits are all there ever is of a robot; a newer one
takes the place of the one that waits. Robots take turns, since one core looks for all of them.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import structlog

from agents.runtime.errors import AgentError
from agents.runtime.service import Emit
from agents.vision.backends.base import BallFinder
from agents.vision.seen import Scene
from protocols.envelope import AnyEnvelope, Message
from protocols.messages.session import SessionAssign
from protocols.messages.vision import STALE_FRAME_MS, BallsSeen, CameraFrame

HFOV_DEG = 62.0
"""Where the robot does not say what its camera sees."""
_NS_PER_MS = 1_000_000

log = structlog.get_logger(__name__)


class _Frame(NamedTuple):
    taken_ns: int
    error_ms: float
    jpeg: bytes


class _Robot:
    """What is known of a robot that is looked out of."""

    def __init__(self, emit: Emit, hfov_deg: float) -> None:
        self.emit = emit
        self.hfov_deg = hfov_deg
        self.newest_ns = 0


class Sight:
    """The batch service. It never waits and never fails a session: what cannot be looked at is
    counted."""

    name = "sight"
    consumes: frozenset[type[Message]] = frozenset({CameraFrame})
    produces: frozenset[type[Message]] = frozenset({BallsSeen})

    def __init__(self, finder: BallFinder, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._finder = finder
        self._clock = clock
        self._robots: dict[str, _Robot] = {}
        self._waiting: dict[str, _Frame] = {}
        """In the order of their turns."""
        self._looking = False
        self.counters: Counter[str] = Counter()

    # what the runtime calls

    def open(self, assign: AnyEnvelope, emit: Emit) -> None:
        order = assign.body
        assert isinstance(order, SessionAssign)
        self.close(assign.robot)
        hfov = order.camera.hfov_deg if order.camera is not None else HFOV_DEG
        self._robots[assign.robot] = _Robot(emit, hfov)

    def handle(self, envelope: AnyEnvelope, blob: bytes) -> None:
        frame, robot = envelope.body, self._robots.get(envelope.robot)
        if robot is None or not isinstance(frame, CameraFrame):
            self.counters["no_session"] += 1
        elif envelope.t_src_ns <= 0:
            self.counters["undated_frame"] += 1
        elif envelope.t_src_ns < robot.newest_ns:
            self.counters["older_frame"] += 1
        else:
            robot.newest_ns = envelope.t_src_ns
            self.counters["replaced_frame"] += envelope.robot in self._waiting
            self._waiting[envelope.robot] = _Frame(envelope.t_src_ns, frame.error_ms, blob)
            self._next()

    def drained(self) -> dict[str, AgentError]:
        """Every frame is taken as it comes."""
        return {}

    def close(self, robot: str) -> None:
        self._robots.pop(robot, None)
        self._waiting.pop(robot, None)

    # inside

    def _next(self) -> None:
        """Look at the frame whose turn it is, unless one is being looked at."""
        while self._waiting and not self._looking:
            name = next(iter(self._waiting))
            frame, robot = self._waiting.pop(name), self._robots[name]
            if self._is_stale(frame):
                self.counters["stale_frame"] += 1
                continue
            try:
                looked = self._finder.find(frame.jpeg, (), robot.hfov_deg)
            except AgentError as error:
                self._lose(error)
                continue
            self._looking = True
            looked.add_done_callback(partial(self._seen, robot, frame))

    def _is_stale(self, frame: _Frame) -> bool:
        age_ms = (self._clock() - frame.taken_ns) / _NS_PER_MS
        return age_ms + frame.error_ms > STALE_FRAME_MS

    def _seen(self, robot: _Robot, frame: _Frame, done: "asyncio.Future[Scene]") -> None:
        self._looking = False
        if not done.cancelled():
            try:
                scene = done.result()
                robot.emit(
                    BallsSeen(width=scene.width, height=scene.height, balls=scene.balls),
                    t_src_ns=frame.taken_ns,
                )
            except AgentError as error:
                self._lose(error)
        self._next()

    def _lose(self, error: AgentError) -> None:
        if not self.counters[error.code]:
            log.warning("frame_not_seen", code=error.code, reason=str(error))
        self.counters[error.code] += 1
