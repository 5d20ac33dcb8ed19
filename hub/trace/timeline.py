"""A turn as a line of moments: who did what, how long after it began. Pure."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from hub.trace.describe import said
from hub.trace.entries import Command, Entry, Fact, Opened, Said, SpeechOut, Started, Told
from protocols.messages.speech import SpeechPlayed
from protocols.messages.turn import Segment, TurnEnded, TurnStarted
from protocols.messages.voice import VoiceStarted

LEAD_IN = 200
"""Entries of a robot that are looked back on for what its user said before the turn."""


class Lane(StrEnum):
    """Where a moment belongs."""

    AGENTS = "agents"
    HUB = "hub"
    ROBOT = "robot"


class Moment(NamedTuple):
    """``ms`` counts from the turn's first moment; ``times`` how often it came in a row."""

    ms: float
    lane: Lane
    what: str
    times: int = 1


class Timeline(NamedTuple):
    """One turn of one robot. ``segments`` is its waterfall, ``outcome`` empty if it never ended."""

    robot: str
    turn: int
    moments: tuple[Moment, ...]
    segments: tuple[Segment, ...] = ()
    outcome: str = ""
    played_ms: int = 0


def timelines(
    entries: Iterable[Entry], robot: str | None = None, turn: int | None = None
) -> Iterator[Timeline]:
    """The turns of a trace in the order in which they ended, those that never did at its end."""
    stories: dict[str, _Story] = {}
    for entry in entries:
        if isinstance(entry, Started):
            yield from _wanted((s.give_up() for s in stories.values()), turn)
            stories.clear()
        name = getattr(entry, "robot", "")
        if not name or (robot is not None and name != robot):
            continue
        story = stories.get(name)
        if story is None:
            story = stories[name] = _Story(name)
        yield from _wanted([story.take(entry)], turn)
    yield from _wanted((s.give_up() for s in stories.values()), turn)


def _wanted(found: Iterable[Timeline | None], turn: int | None) -> Iterator[Timeline]:
    for timeline in found:
        if timeline is not None and turn in (None, timeline.turn):
            yield timeline


class _Story:
    """What a robot's trace has told since its last turn."""

    def __init__(self, robot: str) -> None:
        self._robot = robot
        self._turn = 0
        self._entries: list[Entry] = []

    def take(self, entry: Entry) -> Timeline | None:
        """The next entry; the turn that ends with it, if one does."""
        if isinstance(entry, Opened):
            self._entries = self._entries if self._turn else []
        self._entries.append(entry)
        if isinstance(entry, Fact) and isinstance(entry.body, TurnStarted):
            self._turn = entry.turn
        if not self._turn:
            self._look_back(entry)
        elif isinstance(entry, Fact) and isinstance(entry.body, TurnEnded):
            return self._told(entry.body)
        return None

    def give_up(self) -> Timeline | None:
        """Nothing follows; the turn that is under way, if one is."""
        return self._told(None) if self._turn else None

    def _look_back(self, entry: Entry) -> None:
        """A turn begins with the first voice of its utterance."""
        if isinstance(entry, Fact) and isinstance(entry.body, VoiceStarted):
            same = [e for e in self._entries if _utterance(e) == entry.body.utterance]
            if same == [entry]:
                self._entries = [entry]
        del self._entries[:-LEAD_IN]

    def _told(self, ended: TurnEnded | None) -> Timeline:
        began_ns = self._entries[0].t_ns
        moments = _joined(_moment(e, began_ns) for e in self._entries)
        timeline = Timeline(self._robot, self._turn, moments)
        if ended is not None:
            timeline = timeline._replace(
                segments=ended.segments, outcome=ended.outcome, played_ms=ended.played_ms
            )
        self._turn, self._entries = 0, []
        return timeline


def _utterance(entry: Entry) -> int:
    return getattr(entry.body, "utterance", 0) if isinstance(entry, Fact) else 0


def _moment(entry: Entry, began_ns: int) -> Moment | None:
    ms = (entry.t_ns - began_ns) / 1e6
    match entry:
        case Fact(body=SpeechPlayed()):
            return Moment(ms, Lane.HUB, entry.topic)
        case Fact():
            if entry.src == "hub":
                return Moment(ms, Lane.HUB, entry.topic)
            return Moment(ms, Lane.AGENTS, f"{entry.topic} ← {_without_pid(entry.src)}")
        case Command():
            return Moment(ms, Lane.HUB, f"{entry.topic} → {_without_pid(entry.peer)}")
        case Told() | Said():
            return Moment(ms, Lane.ROBOT, _short(entry))
        case SpeechOut():
            return Moment(ms, Lane.ROBOT, "→ speech")
        case _:
            return None


def _without_pid(instance: str) -> str:
    name, _, pid = instance.rpartition("-")
    return name if name and pid.isdigit() else instance


def _short(entry: Told | Said) -> str:
    arrow = "→" if isinstance(entry, Told) else "←"
    return f"{arrow} {said(entry).partition(' ')[0]}"


def _joined(moments: Iterable[Moment | None]) -> tuple[Moment, ...]:
    """Moments in a row that say the same become one, at the time of the first."""
    told: list[Moment] = []
    for moment in moments:
        if moment is None:
            continue
        if told and (told[-1].lane, told[-1].what) == (moment.lane, moment.what):
            told[-1] = told[-1]._replace(times=told[-1].times + 1)
        else:
            told.append(moment)
    return tuple(told)
