"""Robots as a benchmark plays them: a microphone and a loudspeaker in real time, and no more work
for a frame than the wire demands."""

import select
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from benchmarks.websocket import Closed, Payload, WebSocket
from protocols.codecs.robot import decode_media, decode_to_robot, encode_media, encode_text
from protocols.identity import Stamp
from protocols.messages import robot
from robot_sim.load.loudspeaker import Arrival, CountingLoudspeaker
from robot_sim.load.user import CHUNK_MS, CHUNK_SAMPLES, SILENCE

__all__ = ["CHUNK_MS", "CHUNK_SAMPLES", "SILENCE", "Fleet", "Robot"]

SPEECH_RATE_HZ = 16_000
WELCOME_TIMEOUT_S = 10.0
_CHUNK_NS = CHUNK_MS * 1_000_000
_STALLED_NS = 1_000_000_000


class Client(Protocol):
    """One connection of a fleet."""

    socket: WebSocket

    def send_chunk(self, now_ns: int) -> None:
        """Send the next 20 ms of sound."""

    def take(self, payload: Payload, now_ns: int) -> None:
        """A message has arrived."""


class Robot:
    """A robot on the native wire, silent unless ``next_chunk`` says otherwise.

    It plays what comes in real time, acknowledges it, and knows of every frame whether it was
    due: ``stale_frames`` counts those of turns that it had been told to flush.
    """

    def __init__(self, url: str, name: str) -> None:
        self.socket = WebSocket(url, f"/robot?robot_id={name}")
        self.socket.send(encode_text(robot.Hello(client="bench", speech_rate_hz=SPEECH_RATE_HZ)))
        self._welcome = self._await_welcome()
        self.stale_frames = 0
        self._captured = 0
        self._loudspeaker = CountingLoudspeaker(SPEECH_RATE_HZ)
        self._began_ns = 0

    def _await_welcome(self) -> robot.Welcome:
        deadline = time.monotonic() + WELCOME_TIMEOUT_S
        while time.monotonic() < deadline:
            select.select([self.socket], [], [], WELCOME_TIMEOUT_S)
            for payload in self.socket.receive():
                if isinstance(payload, str):
                    message = decode_to_robot(payload)
                    if isinstance(message, robot.Welcome):
                        return message
        raise Closed("no welcome came")

    @property
    def turn(self) -> int:
        """The turn that was spoken last."""
        return self._loudspeaker.turn

    # what a benchmark's robot does beyond that

    def next_chunk(self, now_ns: int) -> bytes:
        """What the microphone hears next: 20 ms of 16 kHz s16le."""
        return SILENCE

    def on_message(self, message: robot.ToRobot, now_ns: int) -> None:
        """The hub told something."""

    def on_speech(self, header: robot.SpeechFrame, now_ns: int) -> None:
        """A speech frame came that may be played."""

    # the wire

    def send(self, message: robot.FromRobot) -> None:
        self.socket.send(encode_text(message))

    def send_chunk(self, now_ns: int) -> None:
        """See ``Client``. The loudspeaker is looked after in the same step."""
        self._acknowledge(now_ns)
        pcm = self.next_chunk(now_ns)
        self.socket.send(encode_media(robot.MicFrame(first_sample=self._captured), pcm))
        self._captured += len(pcm) // 2

    def take(self, payload: Payload, now_ns: int) -> None:
        """See ``Client``."""
        if isinstance(payload, bytes):
            header, _ = decode_media(payload)
            assert isinstance(header, robot.SpeechFrame)
            self._take_speech(header, now_ns)
            return
        message = decode_to_robot(payload)
        match message:
            case robot.SpeechEnd():
                self._loudspeaker.finish(message.turn, message.samples)
            case robot.Flush():
                self.send(self._loudspeaker.flush(Stamp(message.epoch, message.turn), now_ns))
            case robot.Error():
                raise Closed(f"the hub refused: {message.code}: {message.message}")
        self.on_message(message, now_ns)

    def lateness_ns_of(self, header: robot.SpeechFrame, now_ns: int) -> int | None:
        """How much later a frame came than the lead demands; None for those that fill the lead."""
        lead = self._welcome.lead_ms * SPEECH_RATE_HZ // 1000
        ahead = header.first_sample + header.samples - lead
        if ahead <= 0:
            return None
        return now_ns - self._began_ns - ahead * 1_000_000_000 // SPEECH_RATE_HZ

    def _take_speech(self, header: robot.SpeechFrame, now_ns: int) -> None:
        if header.turn > self.turn:
            self._began_ns = now_ns
        if self._loudspeaker.feed(header, now_ns) is Arrival.FENCED:
            self.stale_frames += 1
        else:
            self.on_speech(header, now_ns)

    def _acknowledge(self, now_ns: int) -> None:
        """Report the loudspeaker's position: ten times a second, and at the end."""
        played = self._loudspeaker.report(self._welcome.epoch, now_ns)
        if played is not None:
            self.send(played)


class Fleet:
    """Many clients in one thread; their chunks are spread evenly over each 20 ms."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self._clients = clients
        self._by_fd = {client.socket.fileno(): client for client in clients}
        self.late_ns = 0
        """The longest that a chunk left after its time: how far to trust what was timed."""
        self._poll = select.epoll()
        for fd in self._by_fd:
            self._poll.register(fd, select.EPOLLIN)

    def run(self, seconds: float, step: Callable[[int], object] = lambda now_ns: False) -> None:
        """Send and receive for ``seconds``, or until ``step``, called with the time about every
        millisecond, returns True.

        Raises:
            Closed: a connection ended, or this process fell a second behind.
        """
        clock, clients, poll = time.monotonic_ns, self._clients, self._poll
        began_ns = clock()
        end_ns, sent = began_ns + int(seconds * 1e9), 0
        while (now_ns := clock()) < end_ns and not step(now_ns):
            while (due_ns := began_ns + sent * _CHUNK_NS // len(clients)) <= now_ns:
                self.late_ns = max(self.late_ns, now_ns - due_ns)
                if self.late_ns > _STALLED_NS:
                    raise Closed("the client does not keep up with real time")
                clients[sent % len(clients)].send_chunk(now_ns)
                sent += 1
            for fd, _ in poll.poll(max(0, due_ns - clock()) / 1e9):
                client = self._by_fd[fd]
                arrived_ns = clock()
                for payload in client.socket.receive():
                    client.take(payload, arrived_ns)

    def close(self) -> None:
        """Hang up all connections."""
        self._poll.close()
        for client in self._clients:
            client.socket.close()
