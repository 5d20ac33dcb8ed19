"""A whole simulated robot on a hub: microphone, loudspeaker, face and body in real time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import numpy as np

from protocols.identity import checked_robot_id
from protocols.messages.robot import (
    AttentionRequest,
    CameraPicture,
    Cancel,
    EndUtterance,
    FromRobot,
    Hello,
    MicFrame,
    MicSwitch,
    SpeechFrame,
    SpeechText,
    Text,
    ToRobot,
    Wake,
    Welcome,
)
from protocols.messages.session import Attention, EchoCanceller
from robot_sim.body import Body
from robot_sim.camera import DEFAULT_FPS, PictureSource
from robot_sim.captions import Captions
from robot_sim.clock import JUMP_NS, device_clock
from robot_sim.ear import Ear
from robot_sim.errors import LinkGone
from robot_sim.events import Event, Happening, Jumped, Linked, Unlinked
from robot_sim.face_port import FacePort
from robot_sim.face_wire import FaceWire
from robot_sim.faults import NO_FAULTS, Faults
from robot_sim.link import Link
from robot_sim.microphone import CHUNK_MS, DEFAULT_NOISE_DBFS, Microphone
from robot_sim.speaker import Speaker, Tape
from robot_sim.supervisor import Supervisor
from robot_sim.wav import Pcm

T = TypeVar("T")

_CHUNK_NS = CHUNK_MS * 1_000_000
EVENTS_KEPT = 20_000
"""An hour of talking; the oldest leave the log."""


def simulator_hello(**changes: Any) -> Hello:
    """What a simulated robot says of itself. Its loudspeaker does not reach its microphone, so it
    counts as a device that cancels its own echo."""
    return Hello(**{"client": "robot_sim", "aec": EchoCanceller.DEVICE, **changes})


@dataclass(frozen=True, kw_only=True)
class RobotOptions:
    """How a robot is made. ``hub_id`` is the hub it is paired with, empty: the first that welcomes
    it. ``heard`` and ``said`` take what enters the microphone (16 kHz) and
    what leaves the loudspeaker (at the hello's rate), sample by sample, which is heard
    ``said_lag_ms`` later. ``wakes`` is given what enters the microphone too, and says its wake word
    where that ends. With an ``ear`` it yields at once to who speaks near it. With ``sees`` it has a
    camera, and sends ``fps`` pictures a second. The ``body`` is a world of its own if none is given;
    ``face`` leads to a face on a port. ``told`` hears of every event as it happens, of which at least
    ``kept`` stand in the log."""

    hello: Hello = field(default_factory=simulator_hello)
    token: str | None = None
    faults: Faults = NO_FAULTS
    noise_dbfs: float = DEFAULT_NOISE_DBFS
    seed: int = 1
    hub_id: str = ""
    heard: Tape | None = None
    said: Tape | None = None
    sees: PictureSource | None = None
    fps: float = DEFAULT_FPS
    body: Body | None = None
    face: FacePort | None = None
    said_lag_ms: float = 0.0
    ear: Ear | None = None
    wakes: Callable[[bytes], str] | None = None
    told: Callable[[Event], None] = lambda event: None
    kept: int = EVENTS_KEPT


class SimulatedRobot:
    """An async context manager: inside, the robot is alive and keeps itself connected.

    What happens stands in ``log``, in order; ``next`` reads it as a queue. ``gone`` says why the
    hub will not have this robot back.
    """

    def __init__(
        self,
        url: str,
        robot_id: str,
        options: RobotOptions | None = None,
        clock: Callable[[], int] = device_clock,
    ) -> None:
        options = _with_camera(options or RobotOptions())
        self.robot_id = checked_robot_id(robot_id)
        self.log: list[Event] = []
        self.captions = Captions()
        self.gone: LinkGone | None = None
        self.microphone = Microphone(options.noise_dbfs, options.seed, options.heard)
        self.link = Link(
            url, robot_id, options.hello,
            token=options.token, faults=options.faults, seed=options.seed, hub_id=options.hub_id,
            playing=lambda: self.speaker.position,
        )  # fmt: skip
        self._sees, self._fps = options.sees, options.fps
        self._clock = clock
        self._edge_ns = clock()
        self.speaker = Speaker(options.hello.speech_rate_hz, self._edge_ns, options.said)
        self._wakes, self._mic_off = options.wakes, False
        self._port, self._told, self._kept = options.face, options.told, options.kept
        wire = None
        if options.face is not None:
            wire = FaceWire(options.face.write, round(options.said_lag_ms * 1e6))
        self.body = simulated_body(robot_id) if options.body is None else options.body
        self.supervisor = Supervisor(
            self.robot_id, options.hello.capabilities, self.speaker, self._note,
            self.body, wire, options.ear,
            hears=options.hello.attention in (None, Attention.OPEN),
        )  # fmt: skip
        self._playout_sample = -1
        self._mic_base = 0
        self._read = 0
        self._happened = asyncio.Event()
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    # what a user or a test does

    def say(self, pcm: Pcm | bytes, label: str = "") -> None:
        """Speak 16 kHz mono samples into the microphone, in real time."""
        samples = np.frombuffer(pcm, "<i2") if isinstance(pcm, bytes) else pcm
        self.microphone.say(samples, label)

    def write(self, text: str) -> None:
        """Type instead of speaking."""
        self.link.send(Text(text=text))

    def cancel(self) -> None:
        """Press the stop button."""
        self.link.send(Cancel())

    def end_utterance(self) -> None:
        """Say that the user has finished speaking."""
        self.link.send(EndUtterance())

    def listen(self, attention: Attention, *, held: bool = False) -> None:
        """Choose how the robot listens."""
        self.link.send(AttentionRequest(attention=attention, held=held))

    def switch_mic(self, off: bool) -> None:
        """Move the switch of the microphone: while it is off, no sound leaves the robot."""
        if off != self._mic_off:
            self._mic_off = off
            self.link.send(MicSwitch(off=off))

    # what others see

    def now_ns(self) -> int:
        """The robot's clock."""
        return self._clock()

    def played_ms(self, turn: int) -> float:
        """How much of ``turn`` has left the loudspeaker."""
        return self.speaker.samples_played(turn) * 1000 / self.speaker.rate_hz

    @property
    def quiet(self) -> bool:
        """Whether neither the user nor the robot has anything left to say."""
        return not self.microphone.speaking and not self.speaker.busy

    def fresh(self) -> list[Event]:
        """The events since the last ``fresh`` or ``next``."""
        events = self.log[self._read :]
        self._read = len(self.log)
        return events

    async def next(
        self,
        kind: type[T],
        where: Callable[[T], bool] = lambda _: True,
        timeout_s: float = 30.0,
    ) -> T:
        """The next happening of ``kind``; events before it are skipped and stay in ``log``.

        Raises:
            TimeoutError: none came.
            LinkGone: none will come.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                while self._read < len(self.log):
                    what = self.log[self._read].what
                    self._read += 1
                    if isinstance(what, kind) and where(what):
                        return what
                if self.gone is not None:
                    raise self.gone
                await self.changed()

    async def changed(self) -> None:
        """Return when something happens."""
        self._happened.clear()
        await self._happened.wait()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._tasks = [
            self._group.create_task(self._keep_linked()),
            self._group.create_task(self._live()),
        ]
        if self._sees is not None:
            self._tasks.append(self._group.create_task(self._watch(self._sees)))
        if self._port is not None:
            self._tasks.append(self._group.create_task(self._port.run(self)))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        if isinstance(error, asyncio.CancelledError):
            await self._group.__aexit__(kind, error, trace)
        else:  # the group would wrap what the body raised
            await self._group.__aexit__(None, None, None)

    # what the link reports

    def on_linked(self, welcome: Welcome) -> None:
        self._mic_base = self.microphone.captured
        if self._mic_off:
            self.link.send(MicSwitch(off=True))
        self._note(Linked(welcome))

    def on_unlinked(self, code: int, reason: str) -> None:
        self.supervisor.unlinked()
        self._note(Unlinked(code, reason))

    def on_message(self, message: ToRobot) -> None:
        now_ns = self._advance()
        if not self.link.up:
            return  # it came before the clock jumped
        if isinstance(message, SpeechText):
            self.captions.add(message)
        self._note(message)
        self._send(self.supervisor.on_message(message, now_ns))

    def on_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        now_ns = self._advance()
        if self.link.up:
            self._send(self.supervisor.on_speech(header, pcm, now_ns))

    # what the port of the face reports

    def face_opened(self) -> None:
        self.supervisor.face_opened(self._clock())

    def face_received(self, data: bytes) -> None:
        self._send(self.supervisor.on_face(data, self._clock()))

    def face_closed(self) -> None:
        self._send(self.supervisor.face_closed())

    def face_silent(self) -> bool:
        return self.supervisor.face_silent(self._clock())

    # the device

    async def _keep_linked(self) -> None:
        try:
            await self.link.run(self)
        except LinkGone as gone:
            self.gone = gone
            self._happened.set()

    async def _live(self) -> None:
        while True:
            self._advance()
            await asyncio.sleep(max(0, self._edge_ns + _CHUNK_NS - self._clock()) / 1e9)

    async def _watch(self, sees: PictureSource) -> None:
        """Send what the camera sees, picture by picture, while there is a link."""
        due_ns = self._clock()
        while True:
            if self.link.up:
                t_ns = self._clock()
                shot = await asyncio.to_thread(sees.shoot, t_ns / 1e9)
                header = CameraPicture(t_ns=t_ns, width=shot.width, height=shot.height)
                self.link.send_picture(header, shot.jpeg)
            due_ns = max(due_ns + round(1e9 / self._fps), self._clock())
            await asyncio.sleep((due_ns - self._clock()) / 1e9)

    def _advance(self) -> int:
        """Live through every 20 ms that have passed; return the time."""
        now_ns = self._clock()
        if now_ns - self._edge_ns > JUMP_NS:
            self._jump(now_ns)
        while self._edge_ns + _CHUNK_NS <= now_ns:
            self._edge_ns += _CHUNK_NS
            self._send(self.supervisor.advance(self._edge_ns))
            self._capture()
        return now_ns

    def _jump(self, now_ns: int) -> None:
        """Begin anew after a suspend: what the hub has sent meanwhile is old, so is the link."""
        self._note(Jumped((now_ns - self._edge_ns) // 1_000_000))
        self._edge_ns = now_ns
        self._send(self.supervisor.jumped(now_ns))
        self.link.abort()

    def _capture(self) -> None:
        """Send the 20 ms of sound that end now, with what was on the loudspeaker at their start."""
        chunk, spoken = self.microphone.capture(self._playout_sample)
        playing = self.speaker.playing
        self._playout_sample = -1 if playing is None else playing.samples
        for part in spoken:
            self._note(part)
        heard = bytes(len(chunk.pcm)) if self._mic_off else chunk.pcm
        self._send(self.supervisor.on_sound(heard, self._edge_ns))
        if self._mic_off:
            return
        first = chunk.first_sample - self._mic_base
        header = MicFrame(first_sample=first, playout_sample=chunk.playout_sample)
        self.link.send_mic(header, chunk.pcm)
        word = self._wakes(chunk.pcm) if self._wakes is not None else ""
        if word:
            self.link.send(Wake(word=word, last_sample=first + len(chunk.pcm) // 2))

    def _send(self, messages: list[FromRobot]) -> None:
        for message in messages:
            self.link.send(message)

    def _note(self, what: Happening) -> None:
        event = Event(self._clock(), what)
        self.log.append(event)
        if len(self.log) > 2 * self._kept:
            self._read = max(0, self._read - self._kept)
            del self.log[: self._kept]
        self._happened.set()
        self._told(event)


def simulated_body(robot_id: str) -> Body:
    """A body in a world of its own. Its world state is checked by a library that a robot with a
    real body does without."""
    from robot_sim.world import World

    return World(robot_id)


def _with_camera(options: RobotOptions) -> RobotOptions:
    """The robot says of itself that it has the camera it was given."""
    if options.sees is None:
        return options
    hello = options.hello
    able = msgspec.structs.replace(hello.capabilities, camera=options.sees.camera)
    return replace(options, hello=msgspec.structs.replace(hello, capabilities=able))
