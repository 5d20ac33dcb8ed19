"""A robot's newest picture, and the finding out of what is in it. One robot's; shell.

A picture is kept in memory until the next one comes or the connection is gone, and nowhere else.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol

import structlog
from msgspec.structs import replace

from hub.counters import Counters
from hub.session import effects as do
from hub.session import events as on
from hub.session.sight import sight_of
from protocols.errors import HubError
from protocols.messages.turn import Sight, Unseen
from protocols.messages.vision import CameraFrame

MAX_SCENE_CHARS = 600
"""Longest description that a turn takes with it."""

log = structlog.get_logger()


class NoVisionAgent(HubError):
    """Nobody is there who could say what a picture shows."""

    code = "no_vision_agent"


class Picture(NamedTuple):
    """A JPEG, taken at ``taken_ns`` of the hub's clock."""

    frame: CameraFrame
    jpeg: bytes
    taken_ns: int


class Looking(Protocol):
    """Whoever can say what a picture shows."""

    async def look(self, robot: str, question: str, picture: Picture) -> str:
        """What ``picture`` shows, in plain words, with the user's ``question`` in mind. Cancelled
        when it is wanted no more, as after a deadline.

        Raises:
            NoVisionAgent: there is nobody to be asked.
            HubError: whoever was asked could not tell.
        """


class Blind:
    """A ``Looking`` of a hub without vision."""

    async def look(self, robot: str, question: str, picture: Picture) -> str:
        raise NoVisionAgent("this hub understands no pictures")


class EyeServices(NamedTuple):
    """What eyes need of the hub."""

    looking: Looking
    start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    """Run a coroutine in a task group."""
    clock: Callable[[], int]
    counters: Counters


class Eyes:
    """See the module. All methods run on the hub's loop."""

    def __init__(self, robot: str, services: EyeServices) -> None:
        self._robot = robot
        self._hub = services
        self.newest: Picture | None = None
        self.pictures = 0
        """How many there were."""
        self._look: asyncio.Task[None] | None = None

    def take(self, picture: Picture) -> None:
        """Keep a picture in place of the one there was."""
        self.newest = picture
        self.pictures += 1

    def forget(self) -> None:
        """The connection that the picture came on is gone. Who has it before their eyes goes on."""
        self.newest = None

    def obey(self, effect: do.Look | do.LookAway, tell: Callable[[on.Seen], None]) -> None:
        """Find out what the newest picture shows, and ``tell``, though never in this call; or look
        away. There is one look at a time."""
        if self._look is not None:
            self._look.cancel()
            self._look = None
        if isinstance(effect, do.Look):
            self._look = self._hub.start(self._find_out(effect, tell))

    async def _find_out(self, look: do.Look, tell: Callable[[on.Seen], None]) -> None:
        newest = self.newest
        frame, taken_ns = (newest.frame, newest.taken_ns) if newest else (None, 0)
        found = sight_of(frame, taken_ns, self._hub.clock())
        if newest is not None and found.missing is None:
            found = await self._seen(look.question, newest, found)
        self._hub.counters.count(f"looks.{found.missing or 'seen'}")
        self._look = None
        tell(on.Seen(look.turn, found))

    async def _seen(self, question: str, picture: Picture, found: Sight) -> Sight:
        try:
            text = await self._hub.looking.look(self._robot, question, picture)
        except NoVisionAgent:
            return replace(found, missing=Unseen.NO_VISION_AGENT)
        except HubError as error:
            log.warning("look failed", robot=self._robot, code=error.code)
            return replace(found, missing=Unseen.VISION_FAILED)
        except Exception:
            log.exception("look crashed", robot=self._robot)
            return replace(found, missing=Unseen.VISION_FAILED)
        text = " ".join(text.split())[:MAX_SCENE_CHARS]
        if not text:
            return replace(found, missing=Unseen.VISION_FAILED)
        return replace(found, text=text)
