"""What a robot's feelings, body and memories say to others. Pure."""

from collections.abc import Mapping
from typing import Any

from hub.session.state import State
from protocols.messages.affect import AffectBias, BodySensed
from protocols.messages.memory import MemoryState

MAX_EVENTS = 5
MAX_EVENT_CHARS = 64
MAX_TAGS = 10
"""Memories that a planner is told of, the strongest."""


def profile_of(state: State) -> dict[str, Any]:
    """How the robot feels and what it remembers, as a planner is told: what its own personality
    engine says, or what feelings say."""
    told = dict(state.profile)
    now = state.affect
    if now is not None:
        told |= {
            "mood": now.mood,
            "intensity": now.intensity,
            "valence": now.valence,
            "arousal": now.arousal,
            "idle_state": now.idle_state.value,
            "session_time_s": now.session_time_s,
        }
    if state.memory is not None and state.memory.entries:
        told["memory_tags"] = [entry.tag for entry in state.memory.entries[:MAX_TAGS]]
    return told


def sensed_of(world: Mapping[str, Any]) -> BodySensed:
    """What of a world state, which may be anything, feelings are told."""
    power, faults, events = world.get("power"), world.get("faults"), world.get("recent_events")
    listed = events if isinstance(events, list | tuple) else ()
    return BodySensed(
        battery_pct=_percent(power.get("soc_pct") if isinstance(power, dict) else None),
        faulty=isinstance(faults, list | tuple) and bool(faults),
        events=tuple(str(event)[:MAX_EVENT_CHARS] for event in listed[-MAX_EVENTS:]),
    )


def _percent(value: object) -> int:
    return round(value) if isinstance(value, int | float) and 0 <= value <= 100 else -1


def bias_of(memory: MemoryState) -> AffectBias:
    """What memories pull at, each weighed by how strong it still is."""
    valence = sum(entry.strength * entry.valence_bias for entry in memory.entries)
    arousal = sum(entry.strength * entry.arousal_bias for entry in memory.entries)
    return AffectBias(
        valence=round(max(-1.0, min(1.0, valence)), 3),
        arousal=round(max(-1.0, min(1.0, arousal)), 3),
    )
