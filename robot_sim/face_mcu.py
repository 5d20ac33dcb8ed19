"""The microcontroller of a face (ESP32): bytes of its port in, bytes out, by its own clock.

It behaves as the real one does, and not better: commands are latched and never acknowledged, a
gesture too many pushes out the oldest, the mouth closes by itself, touches wait in a mailbox that
holds one, the latch of push-to-talk is its own, and after a restart it speaks version 1 with
everything forgotten. Pure: it is told the host's time and has its own.
"""

from collections import Counter, deque

from protocols.codecs.face import encode_telemetry, read_command
from protocols.codecs.serial import LATEST, Deframer
from protocols.errors import ProtocolError
from protocols.face import (
    ALL_FLAGS,
    GESTURES,
    MOODS,
    NO_GESTURE,
    SCREEN_HEIGHT,
    SCREEN_WIDTH,
    Button,
    ButtonPress,
    ClockAnswer,
    FaceCommand,
    FaceTelemetry,
    Heartbeat,
    Pressed,
    SetConversation,
    SetFlags,
    SetState,
    SetSystem,
    SetTalking,
    SetVersion,
    ShowGesture,
    Status,
    System,
    TimeSync,
    Touch,
    Touched,
    VersionAnswer,
)
from protocols.messages.face import Conversation
from robot_sim.face import Face

_MS = 1_000_000
BOOT_NS = 200 * _MS
"""For so long after its start it writes its boot text and hears nothing."""
BOOT_TEXT = b"ESP-ROM:esp32s3\r\nface: booting\r\n"
STATUS_NS, HEARTBEAT_NS = 50 * _MS, 1_000 * _MS
INBOX = 16
"""Frames that may wait for the next loop of the microcontroller."""
BUTTON_TOP = 194
"""Buttons are places on the screen: below this line, ``PTT`` at the left end, ``ACTION`` at the
right."""
BUTTON_WIDTH = 60
_STATES = tuple(Conversation)


class FaceMcu:
    """``drift_ppm`` is how much faster than the host's its clock runs."""

    def __init__(self, now_ns: int = 0, drift_ppm: float = 0.0) -> None:
        self._drift = 1 + drift_ppm / 1e6
        self.starts = 0
        self.counters: Counter[str] = Counter()
        self.restart(now_ns)

    def restart(self, now_ns: int) -> None:
        """Power lost and back: nothing is kept, and nobody is told."""
        self.starts += 1
        self.version = 1
        self.face = Face()
        self.gaze = (0, 0)
        self.brightness = 200
        self.flags = int(ALL_FLAGS)
        self.system = System.NONE
        self.system_param = 0
        self._started_ns = now_ns
        self._frames = Deframer()
        self._inbox: deque[bytes] = deque()
        self._mailbox: FaceTelemetry | None = None
        self._touched = self._listening = False
        self._seq = self._applied_seq = self._applied_us = 0
        self._sent = Counter[str]()
        self._said_hello = False
        self._status_due_ns = self._heartbeat_due_ns = now_ns + BOOT_NS

    @property
    def listening(self) -> bool:
        """Its own latch of push-to-talk."""
        return self._listening

    @property
    def statuses(self) -> int:
        """How often it has told its state since its start."""
        return self._sent["status"]

    def clock_us(self, now_ns: int) -> int:
        """Its own clock: microseconds since its start."""
        return int((now_ns - self._started_ns) * self._drift) // 1_000

    def receive(self, data: bytes, now_ns: int) -> bytes:
        """Bytes of the host; returns what is answered at once (its clock, from the receiving
        task)."""
        if now_ns - self._started_ns < BOOT_NS:
            self.counters["bytes.while_booting"] += len(data)
            return b""
        answers = b""
        for frame in self._frames.feed(data):
            command = self._read(frame)
            if command is None:
                continue
            if isinstance(command[0], TimeSync):
                answer = ClockAnswer(command[0].ping, self.clock_us(now_ns))
                answers += self._frame(answer, now_ns)
            elif len(self._inbox) == INBOX:
                self.counters["frames.inbox_full"] += 1
            else:
                self._inbox.append(frame)
        return answers

    def advance(self, now_ns: int) -> bytes:
        """One loop of its task: obey what came, tell what is due."""
        if now_ns - self._started_ns < BOOT_NS:
            return b""
        out = b"" if self._said_hello else BOOT_TEXT
        self._said_hello = True
        while self._inbox:
            command = self._read(self._inbox.popleft())
            if command is not None:
                out += self._obey(*command, now_ns)
        self.face.advance(now_ns)
        if now_ns >= self._status_due_ns:
            self._status_due_ns = max(self._status_due_ns + STATUS_NS, now_ns)
            out += self._frame(self._status(), now_ns)
            out += self._delivered(now_ns)
        if now_ns >= self._heartbeat_due_ns:
            self._heartbeat_due_ns = max(self._heartbeat_due_ns + HEARTBEAT_NS, now_ns)
            out += self._frame(self._heartbeat(now_ns), now_ns)
        return out

    def touch(self, x: int, y: int, now_ns: int) -> None:
        """A finger comes down on pixel ``x``, ``y``."""
        self._touched = True
        x, y = max(0, min(SCREEN_WIDTH - 1, x)), max(0, min(SCREEN_HEIGHT - 1, y))
        self._post(Touch(Touched.PRESS, x, y))
        if (button := self._button_at(x, y)) is not None:
            self._post(ButtonPress(button, Pressed.PRESS, self._listening))

    def lift(self, x: int, y: int, now_ns: int) -> None:
        """The finger is lifted there."""
        self._touched = False
        self._post(Touch(Touched.RELEASE, x, y))
        match self._button_at(x, y):
            case Button.PTT:
                self._post(ButtonPress(Button.PTT, Pressed.RELEASE, self._listening))
                self._listening = not self._listening
                self._post(ButtonPress(Button.PTT, Pressed.TOGGLE, self._listening))
            case Button.ACTION:
                self._post(ButtonPress(Button.ACTION, Pressed.RELEASE, False))
                self._post(ButtonPress(Button.ACTION, Pressed.CLICK, False))

    # inside

    def _button_at(self, x: int, y: int) -> Button | None:
        if y < BUTTON_TOP or self.system is not System.NONE:
            return None
        if x <= BUTTON_WIDTH:
            return Button.PTT
        return Button.ACTION if x >= SCREEN_WIDTH - BUTTON_WIDTH else None

    def _post(self, told: FaceTelemetry) -> None:
        """The mailbox holds one: what was not collected yet is lost."""
        if self._mailbox is not None:
            self.counters["touches.lost"] += 1
        self._mailbox = told

    def _delivered(self, now_ns: int) -> bytes:
        told, self._mailbox = self._mailbox, None
        if told is None:
            return b""
        self._sent["buttons" if isinstance(told, ButtonPress) else "touches"] += 1
        return self._frame(told, now_ns)

    def _read(self, frame: bytes) -> tuple[FaceCommand, int] | None:
        try:
            return read_command(frame, self.version)
        except ProtocolError as error:
            self.counters[f"frames.{error.code}"] += 1
            return None

    def _obey(self, command: FaceCommand, seq: int, now_ns: int) -> bytes:
        self._applied_seq, self._applied_us = seq, self.clock_us(now_ns)
        match command:
            case SetVersion(version):
                self.version = version if 1 <= version <= LATEST else self.version
                return self._frame(VersionAnswer(self.version), now_ns)
            case SetState(mood, intensity, x, y, brightness):
                if mood < len(MOODS):
                    self.face.show(MOODS[mood], intensity / 255)
                self.gaze, self.brightness = (x, y), brightness
            case ShowGesture(gesture, duration_ms) if gesture < len(GESTURES):
                self.face.queue(GESTURES[gesture], 0, duration_ms)
            case SetTalking(True, energy):
                self.face.talk(energy, now_ns)
            case SetTalking(False):
                self.face.hush()
            case SetConversation(state) if state < len(_STATES):
                self.face.converse(_STATES[state])
            case SetSystem(mode, param) if mode <= max(System):
                self.system, self.system_param = System(mode), param
            case SetFlags(flags):
                self.flags = flags
            case _:
                self.counters["commands.unknown_value"] += 1
        return b""

    def _status(self) -> Status:
        gesture = self.face.gesture
        return Status(
            MOODS.index(self.face.emotion),
            GESTURES.index(gesture) if gesture else NO_GESTURE,
            self.system,
            self._touched,
            self.face.talking,
            self._listening,
            self._applied_seq,
            self._applied_us & 0xFFFF_FFFF,
        )

    def _heartbeat(self, now_ns: int) -> Heartbeat:
        sent = self._sent
        uptime_ms = self.clock_us(now_ns) // 1_000
        return Heartbeat(
            uptime_ms, sent["status"], sent["touches"], sent["buttons"], self._listening
        )

    def _frame(self, told: FaceTelemetry, now_ns: int) -> bytes:
        self._seq += 1
        self._sent["status"] += isinstance(told, Status)
        return encode_telemetry(told, self._seq, self.version, self.clock_us(now_ns))
