"""Robots that ask and listen to the whole answer, time after time, and what they hear of it.

The clock starts when the chunk with the stop mark is handed to the client's socket, and stops when
the first speech frame of the answer arrives at it.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.robot_client import (
    CHUNK_MS,
    CHUNK_SAMPLES,
    SILENCE,
    SPEECH_RATE_HZ,
    Fleet,
    Robot,
)
from protocols.marks import MarkKind, marked_chunk
from protocols.messages import robot
from protocols.messages.turn import Outcome

UTTERANCE_MS = 1_200
UTTERANCE = (
    marked_chunk(MarkKind.START, CHUNK_SAMPLES),
    *[SILENCE] * (UTTERANCE_MS // CHUNK_MS - 2),
    marked_chunk(MarkKind.STOP, CHUNK_SAMPLES),
)
SETTLE_S = 0.5
PAUSE_NS = 700_000_000
"""Between an answer and the next question."""
SPREAD_NS = 1_900_000_000
"""Over which the first questions of a round are spread."""
LAST_ANSWERS_S = 20.0


class Heard(NamedTuple):
    """What the robots of a round heard. Times in ns; a gap is a moment at which a loudspeaker had
    nothing to play in the middle of an answer."""

    latencies_ns: list[int]
    speech_s: float
    gaps: int
    unanswered: int
    faults: list[str]
    late_ns: int


class Talker(Robot):
    """One robot and its user."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(url, name)
        self.latencies_ns: list[int] = []
        self.samples = 0
        self.gaps = 0
        self.faults: list[str] = []
        self.answered = True
        self._dry = 0
        self._ask_ns = 0
        self._stopped_ns = 0
        self._saying: deque[bytes] = deque()

    def ask_from(self, first_ns: int) -> None:
        """Ask at ``first_ns``, and after every answer; 0: ask no more."""
        self._ask_ns = first_ns

    def heard_since(self) -> Heard:
        """What was heard since this was called last."""
        heard = Heard(
            self.latencies_ns,
            self.samples / SPEECH_RATE_HZ,
            self.gaps,
            int(not self.answered),
            self.faults,
            0,
        )
        self.latencies_ns, self.faults = [], []
        self.samples = self.gaps = 0
        return heard

    def next_chunk(self, now_ns: int) -> bytes:
        if self.answered and 0 < self._ask_ns <= now_ns:
            self._saying.extend(UTTERANCE)
            self.answered = False
        if not self._saying:
            return SILENCE
        chunk = self._saying.popleft()
        if not self._saying:
            self._stopped_ns = time.monotonic_ns()
        return chunk

    def on_speech(self, header: robot.SpeechFrame, now_ns: int) -> None:
        if self._stopped_ns:
            self.latencies_ns.append(now_ns - self._stopped_ns)
            self._stopped_ns = self._dry = 0
        self.samples += header.samples
        self.gaps += self._loudspeaker.underruns - self._dry
        self._dry = self._loudspeaker.underruns

    def on_message(self, message: robot.ToRobot, now_ns: int) -> None:
        if not isinstance(message, robot.TurnEnd):
            return
        self.answered, self._stopped_ns = True, 0
        if self._ask_ns:
            self._ask_ns = now_ns + PAUSE_NS
        if message.outcome is not Outcome.DONE or message.fallback:
            why = message.code or message.fallback
            self.faults.append(f"turn {message.turn} {message.outcome}: {why}")


def talkers(url: str, count: int, name: str) -> Callable[[float], Heard]:
    """Connect; return what runs a round of so many seconds."""
    robots = [Talker(url, f"{name}-{number}") for number in range(count)]
    fleet = Fleet(robots)
    fleet.run(SETTLE_S)

    def run(seconds: float) -> Heard:
        now_ns = time.monotonic_ns()
        for number, one in enumerate(robots):
            one.ask_from(now_ns + 1 + SPREAD_NS * number // count)
        fleet.late_ns = 0
        fleet.run(seconds)
        for one in robots:
            one.ask_from(0)
        fleet.run(LAST_ANSWERS_S, lambda _: all(one.answered for one in robots))
        return together([one.heard_since() for one in robots], fleet.late_ns)

    return run


def together(heard: list[Heard], late_ns: int = 0) -> Heard:
    """All of it as one."""
    return Heard(
        [ns for each in heard for ns in each.latencies_ns],
        sum(each.speech_s for each in heard),
        sum(each.gaps for each in heard),
        sum(each.unanswered for each in heard),
        [fault for each in heard for fault in each.faults],
        max([late_ns, *(each.late_ns for each in heard)]),
    )
