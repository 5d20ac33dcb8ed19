"""What a seat needs of the hub."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from hub.counters import Counters
from hub.session.diary import Diary
from hub.session.eyes import EyeServices
from hub.session.memories import Memories
from protocols.bus import HubBus
from protocols.messages.turn import Exchange


class SeatServices(NamedTuple):
    """See the module."""

    bus: HubBus
    clock: Callable[[], int]
    """The hub's monotonic clock, nanoseconds."""
    wake: Callable[[Any], None]
    """Have the ticker look after this seat."""
    remember: Callable[[str, str, Exchange], None]
    """Commit an exchange of a robot's session."""
    note: Callable[[Any], None]
    """Write down the seat's open turn, or that there is none, before long."""
    settle: Callable[[int, str], None]
    """Answer whoever waits for an announcement."""
    turn_over: Callable[[], None]
    """A turn has ended, or waits for a robot that is away."""
    call_later: Callable[[float, Callable[[], None]], asyncio.TimerHandle]
    """``loop.call_later``: seconds, callback."""
    counters: Counters
    eyes: EyeServices
    memories: Memories
    diary: Diary
