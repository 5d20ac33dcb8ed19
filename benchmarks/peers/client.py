"""One client for every server: the same talk, clock and load, and an adapter for each wire.

A robot streams its microphone all the time. In every cycle it says a word or two between a start
and a stop mark, hears the answer, and cuts every ``CUT_EVERY``-th one short.
"""

import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.peers.fakes import CUT, WORD_MS
from benchmarks.robot_client import CHUNK_SAMPLES, SILENCE, Fleet, Robot
from benchmarks.websocket import Closed, Payload, WebSocket
from protocols.marks import MarkKind, marked_chunk
from protocols.messages import robot

CYCLE_S = 4.0
WORDS = "these six words are the answer"
ANSWER_S = len(WORDS.split()) * WORD_MS / 1000
"""The robot speaks 30 % of the time."""
CUT_EVERY = 2
CUT_AFTER_NS = 400_000_000
"""So much of an answer is heard before it is cut."""
SETTLE_S = 0.7
READY_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 2.0
"""How long after the end of a round its last answers may come."""

_START = marked_chunk(MarkKind.START, CHUNK_SAMPLES, WORDS)
_STOP = marked_chunk(MarkKind.STOP, CHUNK_SAMPLES)
UTTERANCE = (_START, *[SILENCE] * 15, _STOP)


class Talk:
    """What one robot says and measures, whatever its wire."""

    def __init__(self) -> None:
        self.answers_ns: list[int] = []
        self.notices_ns: list[int] = []
        self.asked = self.cuts = self.stale = 0
        self._next_ns = 0
        self._saying: deque[bytes] = deque()
        self._stopped_ns = self._heard_ns = self._cut_ns = 0
        self._flushed = False

    def begin(self, first_ns: int) -> None:
        """Say the first words at ``first_ns``."""
        self._next_ns = first_ns

    def say_no_more(self) -> None:
        """Finish the words that are being said, and stay silent."""
        self._next_ns = 0

    @property
    def waits(self) -> bool:
        """Whether an answer, or the notice of a cut, is still to come."""
        return bool(self._saying or self._stopped_ns or self._cut_ns)

    def next_chunk(self, now_ns: int) -> bytes:
        """What the microphone hears."""
        if 0 < self._next_ns <= now_ns:
            self._next_ns += int(CYCLE_S * 1e9)
            self._saying.extend(UTTERANCE)
            self.asked += 1
            self._heard_ns, self._flushed = 0, False
        if not self._saying:
            return SILENCE
        chunk = self._saying.popleft()
        if not self._saying:
            self._stopped_ns = time.monotonic_ns()
        return chunk

    def cuts_now(self, now_ns: int) -> bool:
        """Whether the answer is to be cut in this very moment."""
        due = self._heard_ns and now_ns - self._heard_ns >= CUT_AFTER_NS
        if not due or self.asked % CUT_EVERY or self._cut_ns or self._flushed:
            return False
        self._cut_ns = time.monotonic_ns()
        self.cuts += 1
        return True

    def heard(self, now_ns: int) -> None:
        """A frame of speech came."""
        if self._flushed:
            self.stale += 1
        elif self._stopped_ns:
            self.answers_ns.append(now_ns - self._stopped_ns)
            self._stopped_ns, self._heard_ns = 0, now_ns

    def noticed(self, now_ns: int) -> None:
        """The notice of a cut came."""
        if self._cut_ns:
            self.notices_ns.append(now_ns - self._cut_ns)
            self._cut_ns, self._flushed = 0, True


class HubRobot(Robot):
    """A robot on the hub's native wire, playback acknowledged as it demands."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(url, name)
        self.talk = Talk()

    def next_chunk(self, now_ns: int) -> bytes:
        if self.talk.cuts_now(now_ns):
            self.send(robot.Cancel())
        return self.talk.next_chunk(now_ns)

    def on_speech(self, header: robot.SpeechFrame, now_ns: int) -> None:
        self.talk.heard(now_ns)

    def on_message(self, message: robot.ToRobot, now_ns: int) -> None:
        if isinstance(message, robot.Flush):
            self.talk.noticed(now_ns)


class PeerRobot:
    """A robot on the bare wire of the peers' servers (``serve_pipecat.py``)."""

    def __init__(self, url: str, name: str) -> None:
        self.socket = WebSocket(url, "/")
        self.talk = Talk()
        self._await_ready()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            # The word may have come with the answer to the handshake.
            if "ready" in list(self.socket.receive()):
                return
            select.select([self.socket], [], [], READY_TIMEOUT_S)
        raise Closed("the server is not ready")

    def send_chunk(self, now_ns: int) -> None:
        """See ``Client``."""
        if self.talk.cuts_now(now_ns):
            self.socket.send(CUT)
        self.socket.send(self.talk.next_chunk(now_ns))

    def take(self, payload: Payload, now_ns: int) -> None:
        """See ``Client``."""
        if isinstance(payload, bytes):
            self.talk.heard(now_ns)
        elif payload == CUT:
            self.talk.noticed(now_ns)


class Sample(NamedTuple):
    """One round. Times in ns; ``late_ns`` is how late the client was at worst."""

    answers_ns: list[int]
    notices_ns: list[int]
    asked: int
    cuts: int
    stale: int
    late_ns: int


class Connect(NamedTuple):
    """Job: let ``robots`` connect to ``url``; ``native`` robots speak the hub's wire."""

    url: str
    native: bool
    robots: int
    tag: str


class Talks(NamedTuple):
    """Job: converse for so long."""

    seconds: float


class Collect(NamedTuple):
    """Job: let what was begun be answered, report, and hang up."""


class HangUp(NamedTuple):
    """Job: leave, after a job that failed."""


Job = Connect | Talks | Collect | HangUp


def client() -> Callable[[Job], Sample | None]:
    """What does jobs, in a process of its own."""
    robots: list[HubRobot | PeerRobot] = []
    fleets: list[Fleet] = []

    def do(job: Job) -> Sample | None:
        match job:
            case Connect():
                kind = HubRobot if job.native else PeerRobot
                for number in range(job.robots):
                    robots.append(kind(job.url, f"{job.tag}-{number}"))
                    _look_after(robots)
                fleets.append(Fleet(robots))
                fleets[0].run(SETTLE_S)
            case Talks(seconds=seconds):
                _talk(fleets[0], robots, seconds)
            case HangUp():
                for one in robots:
                    one.socket.close()
                robots.clear()
                fleets.clear()
            case Collect():
                fleet, talks = fleets.pop(), [one.talk for one in robots]
                sample = _collect(fleet, talks)
                fleet.close()
                robots.clear()
                return sample
        return None

    return do


def _look_after(robots: Sequence[HubRobot | PeerRobot]) -> None:
    """Answer what those that are connected were asked meanwhile."""
    now_ns = time.monotonic_ns()
    for one in robots:
        for payload in one.socket.receive():
            one.take(payload, now_ns)


def _talk(fleet: Fleet, robots: Sequence[HubRobot | PeerRobot], seconds: float) -> None:
    now_ns = time.monotonic_ns()
    step_ns = int(CYCLE_S * 1e9) // len(robots)
    for number, one in enumerate(robots):
        one.talk.begin(now_ns + number * step_ns + 1)
    fleet.late_ns = 0
    fleet.run(seconds)


def _collect(fleet: Fleet, talks: Sequence[Talk]) -> Sample:
    late_ns = fleet.late_ns
    for talk in talks:
        talk.say_no_more()
    fleet.run(ANSWER_TIMEOUT_S, lambda _: not any(talk.waits for talk in talks))
    return Sample(
        [ns for talk in talks for ns in talk.answers_ns],
        [ns for talk in talks for ns in talk.notices_ns],
        sum(talk.asked for talk in talks),
        sum(talk.cuts for talk in talks),
        sum(talk.stale for talk in talks),
        late_ns,
    )
