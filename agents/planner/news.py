"""Whether anything happened that a robot's last plan had not seen. Pure but for its memory.

A robot asks for a plan by the clock, too, and each time sends the last few things that happened. A
model that is asked without need talks without need, and costs what the next turn wants.
"""

from collections import OrderedDict

from agents.planner.power import is_about_power
from protocols.plan import WorldState

QUIET_TRIGGERS = frozenset({"heartbeat", "periodic", ""})
"""Triggers that say only that time went by."""
RECENT_EVENTS = 5
"""How many of the latest events are looked at."""
MAX_ROBOTS = 256

Events = tuple[str, ...]


def events_of(world: WorldState) -> Events:
    """What happened to a robot, oldest first, without what is its supervisor's business."""
    return tuple(event for event in world.recent_events if not is_about_power(event))


def new_events(seen: Events, now: Events) -> Events:
    """What ``now`` holds beyond ``seen``, both being ends of one growing list.

    The longest end of ``seen`` with which ``now`` begins is known; an event may come twice.
    """
    for known in range(min(len(seen), len(now)), 0, -1):
        if seen[-known:] == now[:known]:
            return now[known:]
    return now


def is_quiet(world: WorldState, seen: Events) -> bool:
    """Whether nothing is to be decided: the clock asks, and no event is new."""
    trigger = world.trigger.strip().lower()
    by_the_clock = trigger in QUIET_TRIGGERS or is_about_power(trigger)
    return by_the_clock and not new_events(seen, events_of(world))


class Seen:
    """The events that each robot's last plan had seen; of the robots that asked last."""

    def __init__(self) -> None:
        self._events: OrderedDict[str, Events] = OrderedDict()

    def of(self, robot_id: str) -> Events:
        """The events that were noted last."""
        return self._events.get(robot_id, ())

    def note(self, world: WorldState) -> None:
        """A plan has been made for ``world``."""
        self._events[world.robot_id] = events_of(world)
        self._events.move_to_end(world.robot_id)
        if len(self._events) > MAX_ROBOTS:
            self._events.popitem(last=False)
