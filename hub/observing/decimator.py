"""What one observer is told of all that happens, and how much of it. Pure.

States keep their last value; what happens waits in a bounded queue that throws away its oldest, and
says how many. Whoever fills it never waits, however slowly it is emptied.
"""

from collections import deque
from typing import NamedTuple

import msgspec

from hub.observing.body import shown_body
from hub.observing.waves import Waves
from hub.trace.entries import Closed, Command, Depth, Entry, Fact, Opened, Said, SpeechOut, Told
from hub.trace.redact import redacted
from protocols.messages import agent, blob, face, job, robot, speech, turn, voice
from protocols.messages.action import ActionDone, ActionRequested
from protocols.messages.transcript import TranscriptFailed, TranscriptFinal
from protocols.qos import QosClass
from protocols.topics import CATALOG

Key = tuple[str, ...]

MOST_WAITING = 512
"""Happenings that wait for an observer."""
MOST_STATES = 4_096
"""States that wait; the one that was told longest ago is forgotten."""
MOST_AT_ONCE = 256
"""Happenings of one batch."""
_EXACT = 2**53
"""Numbers below it are exact in every reader of JSON; ids are shown modulo it."""

_TOLD = frozenset({
    robot.Action, robot.Duck, robot.Hold, robot.Release, robot.Flush, robot.Error, robot.SpeechText,
    robot.SpeechEnd,
})  # fmt: skip
_SAID = frozenset({
    robot.Cancel, robot.EndUtterance, robot.AttentionRequest, robot.Wake, robot.MicSwitch,
    robot.Flushed,
})  # fmt: skip
"""Messages of robots' connections that are shown; no other is, such as those with a resume token."""
_NOISE = frozenset({
    speech.SpeechCredit, speech.SpeechMarks, blob.BlobSent, blob.BlobWant, blob.BlobWanted,
    blob.BlobTaken, job.WorkHold, agent.AgentHeartbeat,
})  # fmt: skip
_OF_ALL = frozenset({
    turn.TurnStarted, turn.TurnEnded, turn.TurnReopened, TranscriptFinal, TranscriptFailed,
    face.AffectChanged, face.GesturePlayed, ActionRequested, ActionDone, voice.VoiceStarted, voice.WakeDetected,
    agent.AgentHello, agent.AgentReady, job.JobDone, job.JobFailed,
})  # fmt: skip
"""Facts that an observer of all robots is told."""
_STATES = frozenset(name for name, topic in CATALOG.items() if topic.qos is QosClass.STATE)
_PASSING = frozenset(
    name
    for name, topic in CATALOG.items()
    if topic.qos is QosClass.TELEMETRY and topic.message is not agent.AgentHeartbeat
)
"""Facts of which only the newest is told, as states that last and as what passes."""


class Batch(NamedTuple):
    """What an observer is told at once. ``dropped`` counts what it was never told, from the
    beginning on."""

    happenings: list[Entry]
    states: list[Entry]
    dropped: int
    mic: list[int]
    """How loud the microphone of the robot that is watched closely was, and"""
    voice: list[int]
    """its voice; see ``hub/observing/waves.py``."""
    lost: int
    """Steps of both that it was never told, likewise."""


def state_key(entry: Entry) -> Key | None:
    """Which state ``entry`` is the newest value of; None if it is none that lasts."""
    if isinstance(entry, Fact):
        if entry.topic in _STATES:
            return entry.topic, entry.robot, entry.session
    elif isinstance(entry, Said) and isinstance(entry.body, robot.AttentionRequest):
        return "attention", entry.robot
    return None


def passing_key(entry: Entry) -> Key | None:
    """The same for what is only worth a look while it happens."""
    if isinstance(entry, SpeechOut):
        return "speech.out", entry.robot
    if isinstance(entry, Fact):
        if entry.topic in _PASSING:
            return entry.topic, entry.src, str(entry.job)
    elif isinstance(entry, Said):
        if isinstance(entry.body, robot.World):
            return "world", entry.robot
    elif isinstance(entry, Depth):
        return "depth", entry.queue, entry.owner
    return None


def happens(entry: Entry, of: str) -> bool:
    """Whether ``entry`` is one that an observer of robot ``of`` (empty: of all) is told."""
    if isinstance(entry, Fact):
        if not of or not entry.robot:
            return type(entry.body) in _OF_ALL
        return entry.robot == of and type(entry.body) not in _NOISE
    if isinstance(entry, Opened | Closed):
        return of in ("", entry.robot)
    if isinstance(entry, Told):
        return entry.robot == of and type(entry.body) in _TOLD
    if isinstance(entry, Said):
        return entry.robot == of and type(entry.body) in _SAID
    if isinstance(entry, Command):
        return entry.robot == of != "" and not entry.job and type(entry.body) not in _NOISE
    return False


class Decimator:
    """Between the hub and one observer.

    Args:
        of: the robot that it watches closely; empty: all of them, from afar.
        words: it may know what people say.
    """

    def __init__(self, of: str = "", *, words: bool = False, most: int = MOST_WAITING) -> None:
        self._of = of
        self._words = words
        self._most = most
        self._states: dict[Key, Entry] = {}
        self._happenings: deque[Entry] = deque()
        self._dropped = 0
        self._waves = Waves()

    def __bool__(self) -> bool:
        return bool(self._states or self._happenings or self._waves)

    def hear(self, pcm: bytes) -> None:
        """The robot that is watched closely has heard something: only how loud it was is told."""
        self._waves.hear(pcm)

    def put(self, entry: Entry) -> None:
        """Something happened."""
        if isinstance(entry, SpeechOut) and entry.robot == self._of:
            self._waves.speak(entry.energy, entry.samples * 1000 / entry.rate_hz)
        key = state_key(entry) or passing_key(entry)
        if key is not None:
            self._states.pop(key, None)
            self._states[key] = entry
            if len(self._states) > MOST_STATES:
                del self._states[next(iter(self._states))]
        elif happens(entry, self._of):
            if len(self._happenings) >= self._most:
                self._happenings.popleft()
                self._dropped += 1
            self._happenings.append(entry)

    def take(self) -> Batch:
        """What is to be told now, as it may be told; the rest of what waits stays."""
        count = min(len(self._happenings), MOST_AT_ONCE)
        happenings = [self._shown(self._happenings.popleft()) for _ in range(count)]
        states = [self._shown(entry) for entry in self._states.values()]
        self._states.clear()
        return Batch(happenings, states, self._dropped, *self._waves.take(), self._waves.lost)

    def _shown(self, entry: Entry) -> Entry:
        """Jobs bring what programs ask, and orders whole histories: those words are nobody's to see.
        A robot's turns are shown with their words to those who may hear them."""
        if isinstance(entry, SpeechOut):
            return msgspec.structs.replace(entry, pcm=b"")
        if isinstance(entry, Said) and isinstance(entry.body, robot.World):
            shown = robot.World(world=shown_body(entry.body.world))
            return msgspec.structs.replace(entry, body=shown)
        body = getattr(entry, "body", None)
        if body is None:
            return entry
        if isinstance(entry, Fact | Command):
            short = {"id": entry.id % _EXACT, "cause": entry.cause % _EXACT}
            entry = msgspec.structs.replace(entry, **short)
        if self._words and not isinstance(entry, Command) and not getattr(entry, "job", 0):
            return entry
        return msgspec.structs.replace(entry, body=redacted(body))
