"""Every queue of the world beside its bound (I6): the one place that looks inside of things."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from hub.broker.inproc_end import MEDIA_HIGH_WATER
from hub.broker.ledger import MAX_RINGS, RING_BYTES, RING_MESSAGES
from hub.edge.outbox import CONTROL_BOUND_BYTES, SPEECH_BOUND_BYTES
from hub.edge.robot_link import NATIVE
from hub.session.manager import SessionManager
from protocols.link import TOTAL_BYTES
from protocols.qos import QOS, SPEECH_AHEAD_MS
from tests.simulation.bus import AgentEnd, HubEnd
from tests.simulation.device import Device

_ONE_CHUNK_MS = 100
_MAX_ACTIONS = 16


class Depth(NamedTuple):
    """How much waits in a queue, and how much may."""

    queue: str
    robot: str
    waiting: float
    bound: float


def of_link(robot: str, link: Any) -> Iterable[Depth]:
    """What waits for a robot's socket."""
    link = getattr(link, "_link", link)  # one that a face follows holds the robot's
    outbox = link._wire._outbox
    yield Depth("outbox.control", robot, outbox._control_bytes, CONTROL_BOUND_BYTES)
    yield Depth("outbox.speech", robot, outbox._speech_bytes, SPEECH_BOUND_BYTES)


def of_sessions(sessions: SessionManager, now_ns: int) -> Iterable[Depth]:
    """Speech that tts has made and the loudspeaker has not played."""
    for robot, seat in sessions._seats.items():
        playout = seat.playout
        if playout is not None and playout.turn > playout.fence:
            bound = SPEECH_AHEAD_MS + _ONE_CHUNK_MS
            yield Depth("playout", robot, playout.ahead_ms(now_ns), bound)


def of_device(device: Device) -> Iterable[Depth]:
    """Speech in the robot, and actions that wait."""
    for response in device.speaker._responses.values():
        ahead = (response.received - response.position) * 1_000 / device.speaker.rate_hz
        yield Depth("speaker", device.name, ahead, NATIVE.max_lead_ms + NATIVE.frame_ms)
    yield Depth("actions", device.name, len(device.supervisor._actions._waiting), _MAX_ACTIONS)


def of_bus(hub: HubEnd, agents: Iterable[AgentEnd]) -> Iterable[Depth]:
    """What is under way between processes, and what is kept of the past."""
    pasts = hub._ledger._pasts
    yield Depth("rings", "", len(pasts), MAX_RINGS)
    for robot, past in pasts.items():
        yield Depth("ring.bytes", robot, past.bytes, RING_BYTES)
        yield Depth("ring.messages", robot, len(past.ring), RING_MESSAGES)
    for agent in agents:
        for name, pipe in (("commands", agent.commands), ("facts", agent.facts)):
            yield Depth(f"{agent.name}.{name}", "", pipe._outbox._total, TOTAL_BYTES)
        yield Depth(f"{agent.name}.media", "", len(agent._media), MEDIA_HIGH_WATER)


def of_inboxes(runner: Any) -> Iterable[Depth]:
    """What the scopes of an agent have not read."""
    for host in runner._hosts:
        for scope in getattr(host, "_open", {}).values():
            inbox = getattr(scope, "inbox", None)
            for qos, (messages, size) in (inbox._waiting if inbox else {}).items():
                bound = QOS[qos]
                robot = scope.opening.robot
                if bound.bound_bytes:
                    yield Depth(f"inbox.{qos}", robot, size, bound.bound_bytes)
                if bound.bound_messages:
                    yield Depth(f"inbox.{qos}", robot, messages, bound.bound_messages)
