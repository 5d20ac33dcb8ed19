"""Things a robot is asked to do with its body."""

from typing import Any

from protocols.envelope import Message


class ActionRequested(Message, tag="action.requested"):
    """Fact: an action was sent to the robot; it runs at most once and only within the ttl."""

    action: str
    name: str = ""
    params: dict[str, Any] = {}
    id: str = ""


class ActionDone(Message, tag="action.done"):
    """Fact: the robot's answer to an action."""

    id: str
    ok: bool
    detail: str = ""
