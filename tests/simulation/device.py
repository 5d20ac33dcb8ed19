"""A robot on a hub: the real supervisor, loudspeaker and body on a clock of their own.

It keeps itself connected as ``robot_sim.link`` does, over simulated wires. A device that hears
nothing for long sends no microphone: the sound around what its user says is all that travels.
"""

import asyncio
import random
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from hub.edge.outbox import Frame
from protocols.codecs.robot import decode_media, decode_to_robot, encode_media, encode_text
from protocols.messages.robot import (
    Action,
    AttentionRequest,
    Cancel,
    Capabilities,
    Flushed,
    FromRobot,
    Hello,
    MicFrame,
    Numbered,
    Ping,
    Played,
    Pong,
    SpeechFrame,
    Text,
    ToRobot,
    TurnBegin,
    Welcome,
    World,
)
from protocols.messages.session import Attention, EchoCanceller
from protocols.messages.turn import Outcome
from robot_sim.actions import Begun
from robot_sim.reconnect import GiveUp, after_close
from robot_sim.sequence import Sequence
from robot_sim.speaker import Speaker
from robot_sim.supervisor import Supervisor
from tests.simulation.checks import Watch, counted
from tests.simulation.engines import RATE_HZ
from tests.simulation.microphone import Microphone
from tests.simulation.plan import Fault, Person
from tests.simulation.story import Story
from tests.simulation.wire import Socket
from tests.virtual_time import START_S

_BODY_S = 3.0
"""How long an action may wait and take."""
_HEARD_EVERY = RATE_HZ // 100

_MARGIN_S = 0.03
"""A clock that is off by 300 ppm is wrong by 6 ms at the end of a seed."""


class _Silence(NamedTuple):
    """Nothing of turns up to ``turn`` sounds after ``due``, if the wire is as it was."""

    turn: int
    due: float
    socket: Socket
    stalls: int


Dial = Callable[["Device"], Socket | None]
"""Opens a connection to the hub; None while there is none."""


class Device:
    """See the module. ``sent`` and ``got`` count control messages of the connection there is."""

    speaker_kind: type[Speaker] = Speaker

    def __init__(
        self, person: Person, dial: Dial, watch: Watch, story: Story, chance: random.Random,
        faults: frozenset[Fault],
    ) -> None:  # fmt: skip
        self.name = person.name
        self.person = person
        self.sink = watch.add(person.name)
        self.socket: Socket | None = None
        self.linked = False
        self.gone = ""
        self.sent = self.got = 0
        self.chance = chance
        self._dial, self._watch, self._story = dial, watch, story
        self._doubles = Fault.DUPLICATE in faults
        self._attempt = 0
        self._sequence = Sequence()
        self._taped = 0
        self._born = asyncio.get_running_loop().time()
        self.speaker = self.speaker_kind(RATE_HZ, self.now_ns(), self._tape)
        self.supervisor = Supervisor(self.name, Capabilities(), self.speaker, self._notice)
        self._hello = Hello(
            client="simulation", aec=person.aec, attention=person.attention, speech_rate_hz=RATE_HZ
        )
        self._microphone = Microphone(self._send_mic)
        self._asked: dict[int, str] = {}
        self._silent_by: _Silence | None = None
        self._looking = False
        self._look_until = 0.0

    def now_ns(self) -> int:
        """The device's own clock."""
        at = asyncio.get_running_loop().time()
        person = self.person
        drifted = (at - START_S) * (1 + person.clock_ppm / 1e6)
        return round((START_S + person.clock_offset_s + drifted) * 1e9)

    # the connection

    def connect(self) -> None:
        """Open a connection, or try again later."""
        socket = self._dial(self)
        if socket is None:
            self._again(1006, "")
            return
        self.socket = socket
        self.sent = self.got = 0
        hello = self._hello
        if hello.resume:
            playing = self.speaker.position
            hello = msgspec.structs.replace(
                hello, boot=self._sequence.boot, order=self._sequence.last, playing=playing
            )
        socket.transmit(encode_text(hello))

    def forget_token(self) -> None:
        """The device was switched off and on: it knows nothing of its last connection."""
        self._hello = msgspec.structs.replace(self._hello, resume="")
        self._sequence = Sequence()

    def drop(self) -> None:
        """Let go of the connection without a word, and open another."""
        if self.socket is not None:
            self._lost("drops its connection")
            self.connect()

    def on_close(self, socket: Socket, code: int, reason: str) -> None:
        """The connection has ended."""
        if socket is self.socket:
            self._lost(f"is closed with {code} {reason}")
            self._again(code, reason)

    def _lost(self, how: str) -> None:
        self._story.note(self.name, how)
        self.socket = None
        self.linked = False
        self.supervisor.unlinked()

    def _again(self, code: int, reason: str) -> None:
        decision = after_close(code, reason, "ws://hub", self._attempt, self.chance)
        if isinstance(decision, GiveUp):
            self.gone = decision.reason
            self._story.note(self.name, f"gives up: {self.gone}")
            return
        self._attempt += 1
        asyncio.get_running_loop().call_later(decision.after_s, self.connect)

    # what comes

    def on_frame(self, socket: Socket, frame: Frame) -> None:
        """A frame has arrived."""
        if socket is not self.socket:
            return
        if isinstance(frame, bytes):
            header, pcm = decode_media(frame)
            assert isinstance(header, SpeechFrame)
            self._reply(self.supervisor.on_speech(header, pcm, self.now_ns()))
        else:
            self._obey(decode_to_robot(frame))
        self._look()

    def _obey(self, message: ToRobot) -> None:
        self.got += not isinstance(message, Ping)
        if not isinstance(message, Ping):
            self._story.note(self.name, f"gets {counted(message)}")
        if isinstance(message, Numbered) and message.order and not self._is_news(message.order):
            return
        self._watch.received(self.name, message)
        if isinstance(message, TurnBegin):
            self._asked[message.turn] = message.user_text
        if isinstance(message, Welcome):
            self._welcomed(message)
        if isinstance(message, Action):
            self._watch.action_came(self.name, message, self.now_ns())
            self._look_until = asyncio.get_running_loop().time() + _BODY_S
        self._reply(self.supervisor.on_message(message, self.now_ns()))

    def _welcomed(self, welcome: Welcome) -> None:
        self.linked = True
        self._attempt = 0
        self._sequence.welcomed(welcome)
        self._hello = msgspec.structs.replace(self._hello, resume=welcome.resume)
        self._microphone.restart()

    def _is_news(self, order: int) -> bool:
        """Whether a numbered message has not come before; none may be missing (I3)."""
        last, gaps = self._sequence.last, self._sequence.gaps
        news = self._sequence.take(order)
        if self._sequence.gaps > gaps:
            self._story.violated("I3", self.name, f"the robot got message {order} after {last}")
        return news

    def _notice(self, what: object) -> None:
        if isinstance(what, Begun):
            self._story.note(self.name, f"does {what.action.name}")
            self._watch.action_began(self.name, what.action, self.now_ns())

    def _tape(self, pcm: bytes) -> None:
        samples = memoryview(pcm).cast("h")
        # One look every 10 ms of sound, wherever the pieces are cut.
        first = -self._taped % _HEARD_EVERY
        began_s = self._born + self._taped / RATE_HZ
        self._taped += len(samples)
        heard = samples[first::_HEARD_EVERY].tolist()
        if any(heard):
            self._check_silence(heard, began_s)
            self._watch.sounded(self.name, heard, 10)

    # what goes

    def tell(self, message: FromRobot) -> None:
        """Send a control message, if there is a link."""
        if self.socket is None or not self.linked:
            return
        if not isinstance(message, Pong | World):
            self._story.note(self.name, f"sends {counted(message)}")
        self.sent += not isinstance(message, Pong)
        self.socket.transmit(encode_text(message))
        if isinstance(message, Flushed):
            self._watch.acknowledged(self.name, message.turn)

    def _reply(self, messages: list[FromRobot]) -> None:
        for message in messages:
            self.tell(message)
            if (
                self._doubles
                and isinstance(message, Played | Flushed)
                and self.chance.random() < 0.1
            ):
                self.tell(message)

    def _look(self) -> None:
        """Look after loudspeaker and body again in a moment, as long as there is something to."""
        if not self._looking:
            self._looking = True
            loop = asyncio.get_running_loop()
            loop.call_later(self.person.step_ms / 1_000, self._step)

    def _step(self) -> None:
        self._looking = False
        self._reply(self.supervisor.advance(self.now_ns()))
        if self.speaker.busy or asyncio.get_running_loop().time() < self._look_until:
            self._look()

    # the user

    def say(self, text: str, ms: int) -> None:
        """Somebody says ``text`` for ``ms``."""
        self._microphone.say(text, ms)

    def _send_mic(self, first_sample: int, pcm: bytes) -> None:
        if self.socket is not None and self.linked:
            self.socket.transmit(encode_media(MicFrame(first_sample=first_sample), pcm))

    def type(self, text: str) -> None:
        self.tell(Text(text=text))

    def cancel(self) -> None:
        """Press the stop button: the voice falls silent within the wire (I10)."""
        playing = self.speaker.playing
        if self.socket and self.linked and playing and not self.socket.held:
            slowest_s = (2 * self.person.wire_ms[1] + self.person.step_ms) / 1_000 + _MARGIN_S
            due = asyncio.get_running_loop().time() + slowest_s
            self._silent_by = _Silence(playing.turn, due, self.socket, self.socket.stalls)
        self.tell(Cancel())

    def _check_silence(self, heard: list[int], began_s: float) -> None:
        """Sound left the loudspeaker from ``began_s`` on."""
        wanted = self._silent_by
        if wanted is None or began_s <= wanted.due:
            return
        undisturbed = wanted.socket is self.socket and wanted.stalls == wanted.socket.stalls
        for word in map(self._watch.words.heard, heard):
            if undisturbed and 0 < self._watch.words.turn_of.get(word, 0) <= wanted.turn:
                by_s = began_s - wanted.due
                late = f"{word!r} of turn {wanted.turn} sounds {by_s:.3f} s too late"
                self._story.violated("I10", self.name, late)
        self._silent_by = None

    def press(self, held: bool) -> None:
        """Hold the push-to-talk button, or let it go."""
        self.tell(AttentionRequest(attention=self.person.attention, held=held))

    def answered(self, text: str) -> bool:
        """Whether what was asked with ``text`` in it has been answered aloud."""
        return any(
            end.outcome is Outcome.DONE and end.heard_text and text in self._asked[end.turn]
            for end in self.sink.answered
            if end.turn in self._asked
        )

    @property
    def hears_over_itself(self) -> bool:
        """Whether its user may speak while it speaks, and without a button."""
        return self.person.aec is EchoCanceller.DEVICE and not self.by_button

    @property
    def by_button(self) -> bool:
        return self.person.attention is Attention.PUSH_TO_TALK
