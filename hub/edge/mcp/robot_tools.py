"""The tools of robots: to let one speak and move, and to ask what it is, sees and remembers.

What a supervisor of one robot offers under these names is here offered for many: ``robot_id`` says
whose; without it, the token's robot is meant, or the only one that is connected.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from pydantic import Field

from hub.edge.limits import MAX_TEXT_CHARS
from hub.edge.mcp.tool import Answer, Arguments, BadArguments, Call, NotDone, Tool, check_covers
from hub.edge.rights import Right
from hub.edge.services import EdgeServices
from hub.errors import UnknownRobot
from hub.jobs.inference import Inference, Picture
from hub.jobs.orders import Caller
from hub.recent import RecentEvents
from hub.session.view import RobotView, Views
from hub.store.tokens import Scope
from protocols.errors import HubError
from protocols.identity import checked_robot_id
from protocols.messages.turn import Outcome, Priority
from protocols.vocabulary import EMOTION_ALIASES, GESTURE_ALIASES

MAX_EVENTS = 50
LOOK_STALE_MS = 2_000
"""A picture that is older shows what was, not what is."""
DETECT_S = 1.0
MEMORY_S = 5.0
MAX_MEMORIES = 200


class OfRobot(Arguments):
    """Base of arguments that mean a robot. ``turn_id`` is what a caller calls its own turn by; it
    changes nothing."""

    robot_id: str = Field(default="", max_length=64, description="Which robot; may be left out.")


class OfTurn(OfRobot):
    """The same, of the tools that a supervisor offers."""

    turn_id: str | None = Field(default=None, max_length=64)


class Words(OfRobot):
    """Arguments of ``say``."""

    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARS)
    emotion: str = Field(default="neutral", max_length=32)
    intensity: float = Field(default=0.5, ge=0, le=1)
    priority: Priority = Priority.PLAN
    interruptible: bool = True
    when: Literal["now", "free"] = Field(
        default="now", description="free: wait until nobody speaks, for up to ttl_s."
    )
    ttl_s: float = Field(default=60.0, ge=1, le=600)


class Mood(OfRobot):
    """Arguments of ``emote``."""

    emotion: str = Field(min_length=1, max_length=32)
    intensity: float = Field(default=0.7, ge=0, le=1)


class Move(OfRobot):
    """Arguments of ``gesture``."""

    name: str = Field(min_length=1, max_length=32)


class Glance(OfTurn):
    """Arguments of ``look``."""

    hint: str | None = Field(default=None, max_length=200, description="What it is looked for.")


class Events(OfTurn):
    """Arguments of ``recent_events``."""

    pattern: str | None = Field(
        default=None, max_length=100, description="Which types, as file names: turn.*"
    )
    n: int = Field(default=10, ge=1, le=MAX_EVENTS)


class Memories(OfTurn):
    """Arguments of ``get_memory``."""

    category: str | None = Field(default=None, max_length=32)


class RobotParts(NamedTuple):
    """What the tools need beside the edge's services. ``may_look`` is the consent to pictures of a
    robot leaving the hub."""

    views: Views
    recent: RecentEvents
    may_look: Callable[[str], bool]


class RobotTools:
    """The tools over sessions."""

    def __init__(self, services: EdgeServices, parts: RobotParts) -> None:
        self._services = services
        self._views, self._recent, self._may_look = parts
        self._inference = Inference(services.jobs)

    def all(self) -> tuple[Tool, ...]:
        """The tools."""
        robot = Right.ROBOT
        says = "Let a robot say something; answers when it has, or with the reason why it has not."
        emotes = "Let a robot show an emotion on its face."
        gestures = "Let a robot make one of its gestures."
        state = "What a robot is doing, and what it last told of itself."
        looks = "The newest picture of a robot's camera, and the ball in it, if there is one."
        events = "What happened to a robot lately, the oldest first; no words that were said."
        memory = "What a robot remembers of its user, the strongest first."
        return (
            Tool("say", says, Words, robot, self._say),
            Tool("emote", emotes, Mood, robot, self._emote),
            Tool("gesture", gestures, Move, robot, self._gesture),
            Tool("get_state", state, OfTurn, robot, self._state, acts=False),
            Tool("look", looks, Glance, robot, self._look, acts=False),
            Tool("recent_events", events, Events, robot, self._events, acts=False, watched=True),
            Tool("get_memory", memory, Memories, robot, self._memory, acts=False),
        )

    # what acts

    async def _say(self, wanted: Words, call: Call) -> Answer:
        view = self._connected(wanted, call)
        emotion = self._able("emotion", wanted.emotion, view.hello.capabilities.emotions)
        if not wanted.text.strip():
            raise BadArguments("text: there is nothing to be said")
        outcome = await self._services.sessions.say(
            view.robot,
            wanted.text,
            emotion=emotion,
            intensity=wanted.intensity,
            priority=wanted.priority,
            interruptible=wanted.interruptible,
            when_free=wanted.when == "free",
            ttl_ms=round(wanted.ttl_s * 1_000),
        )
        return _outcome(view.robot, outcome)

    async def _emote(self, wanted: Mood, call: Call) -> Answer:
        view = self._connected(wanted, call)
        emotion = self._able("emotion", wanted.emotion, view.hello.capabilities.emotions)
        outcome = await self._services.sessions.say(
            view.robot, "", emotion=emotion, intensity=wanted.intensity
        )
        return _outcome(view.robot, outcome)

    async def _gesture(self, wanted: Move, call: Call) -> Answer:
        view = self._connected(wanted, call)
        name = self._able("name", wanted.name, view.hello.capabilities.gestures)
        outcome = await self._services.sessions.say(
            view.robot, "", emotion=view.emotion, intensity=view.intensity, gestures=(name,)
        )
        return _outcome(view.robot, outcome)

    @staticmethod
    def _able(place: str, name: str, able: tuple[str, ...]) -> str:
        name = name.strip().lower()
        name = EMOTION_ALIASES.get(name, GESTURE_ALIASES.get(name, name))
        if name not in able:
            raise BadArguments(f"{place}: this robot has {', '.join(able) or 'none'}")
        return name

    # what asks

    async def _state(self, wanted: OfTurn, call: Call) -> Answer:
        view = self._views.view(robot_meant(self._views, wanted.robot_id, call))
        able = view.hello.capabilities
        return Answer.of(
            {
                "robot_id": view.robot,
                "connected": view.connected,
                "turn": view.turn,
                "conversation": str(view.face),
                "emotion": view.emotion,
                "intensity": view.intensity,
                "language": view.hello.language,
                "camera": able.camera is not None,
                "emotions": list(able.emotions),
                "gestures": list(able.gestures),
                "skills": list(able.skills),
                "world": dict(view.world),
                "profile": dict(view.profile),
            }
        )

    async def _events(self, wanted: Events, call: Call) -> Answer:
        robot = robot_meant(self._views, wanted.robot_id, call, watching=True)
        found = self._recent.last(robot, wanted.n, wanted.pattern or "*")
        events = [event._asdict() for event in found]
        return Answer.of({"events": events, "count": len(events)})

    async def _memory(self, wanted: Memories, call: Call) -> Answer:
        robot = robot_meant(self._views, wanted.robot_id, call)
        caller = Caller(call.grant.id, robot, deadline_s=MEMORY_S)
        memory = await self._inference.recall(caller, MAX_MEMORIES)
        entries = [
            {
                "tag": entry.tag,
                "category": entry.category,
                "strength": round(entry.strength, 3),
                "reinforcement_count": entry.reinforcements,
                "age_days": None,
            }
            for entry in memory.entries
            if wanted.category in (None, "", entry.category)
        ]
        count = len(memory.entries)
        consent = "on" if memory.consent else "off"
        return Answer.of(
            {"entries": entries, "entry_count": count, "path": None, "consent": consent}
        )

    async def _look(self, wanted: Glance, call: Call) -> Answer:
        view = self._connected(wanted, call)
        seen: dict[str, Any] = {
            "ball_detected": False,
            "ball_confidence": None,
            "ball_bearing_deg": None,
            "vision_age_ms": None,
            "vision_frame_seq": None,
            "consent": "on" if self._may_look(view.robot) else "off",
            "hint": wanted.hint,
        }
        if seen["consent"] == "off":
            return Answer.of(seen | {"reason": "consent_off"})
        newest = view.picture
        if newest is None:
            return Answer.of(seen | {"reason": "no_frame"})
        age_ms = max(0, self._services.clock_ns() - newest.taken_ns) // 1_000_000
        seen |= {"vision_age_ms": age_ms, "vision_frame_seq": view.pictures}
        if age_ms + newest.frame.error_ms > LOOK_STALE_MS:
            return Answer.of(seen | {"reason": "stale"})
        picture = Picture(newest.jpeg, newest.frame.media_type)
        return Answer.of(seen | await self._ball(view, picture, call), picture)

    async def _ball(self, view: RobotView, picture: Picture, call: Call) -> dict[str, Any]:
        """The surest ball in a picture. A picture without anybody who looks for balls is still a
        picture."""
        camera = view.hello.capabilities.camera
        hfov_deg = camera.hfov_deg if camera is not None else 62.0
        caller = Caller(call.grant.id, view.robot, deadline_s=DETECT_S)
        try:
            found = await self._inference.detect(picture, (), hfov_deg, caller)
        except HubError:
            self._services.counters.count("looks_without_detection")
            return {"ball_detected": None}
        if not found.balls:
            return {}
        ball = found.balls[0]
        return {
            "ball_detected": True,
            "ball_confidence": round(ball.confidence, 3),
            "ball_bearing_deg": round(ball.bearing_deg, 2),
        }

    # which robot

    def _connected(self, wanted: OfRobot, call: Call) -> RobotView:
        """Raises:
        UnknownRobot: the robot that is meant is not connected.
        """
        robot = robot_meant(self._views, wanted.robot_id, call)
        view = self._views.view(robot)
        if not view.connected:
            raise UnknownRobot(f"robot {robot!r} is not connected")
        return view


def robot_meant(views: Views, name: str, call: Call, *, watching: bool = False) -> str:
    """The robot that a call means.

    Raises:
        BadIdentity, BadArguments: it cannot be told.
        NotAuthorised: it is none of the caller's.
    """
    if not name and call.grant.scope is Scope.ROBOT:
        return call.grant.robot
    if not name:
        here = views.connected()
        if len(here) != 1:
            raise BadArguments(f"robot_id: {len(here)} robots are connected; which is meant?")
        name = here[0]
    robot = checked_robot_id(name)
    check_covers(call, robot, watching=watching)
    return robot


def _outcome(robot: str, outcome: str) -> Answer:
    """Raises:
    NotDone: it did not come to its end.
    """
    if outcome != Outcome.DONE:
        raise NotDone(f"{robot} did not, or not to the end: {outcome}")
    return Answer.of({"robot_id": robot, "outcome": str(outcome)})
