"""Who a robot is, as its session needs it: what its profile says, at this time of day. Pure."""

import msgspec

from protocols.messages.robot import Capabilities
from protocols.messages.session import Attention


class Character(msgspec.Struct, frozen=True, gc=False):
    """Empty fields say nothing: the robot's ``hello`` and the agents' settings hold.

    ``able`` are the gestures and skills it may use, None: all that it has; ``tools`` are those its
    planner may use, of those that ``MCP_ALLOW`` gives it, None: all of them. ``volume`` is a factor
    of its voice. While it is ``quiet`` it does not begin to speak by itself. ``attention`` is how
    it listens. ``session_limit_s`` and ``daily_limit_s`` are for how long it talks, None: for as
    long as feelings let every robot; 0: for as long as anybody likes.
    """

    name: str = ""
    persona: str = ""
    language: str = ""
    voice: str = ""
    volume: float = 1.0
    able: frozenset[str] | None = None
    tools: tuple[str, ...] | None = None
    quiet: bool = False
    attention: Attention | None = None
    session_limit_s: float | None = None
    daily_limit_s: float | None = None

    def of(self, declared: Capabilities) -> Capabilities:
        """What of ``declared`` the robot may use."""
        able = self.able
        if able is None:
            return declared
        return Capabilities(
            emotions=declared.emotions,
            gestures=tuple(name for name in declared.gestures if name in able),
            skills=tuple(name for name in declared.skills if name in able),
            camera=declared.camera,
        )
