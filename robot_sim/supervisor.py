"""The supervisor (the Pi of a real robot): obeys the hub by speaker, face and body.

A message in, at a time, gives messages to send back. No socket, clock or task is in here.
"""

from collections.abc import Callable

from protocols.face_host import Noted, Wish, requests
from protocols.identity import Stamp
from protocols.messages.face import Conversation
from protocols.messages.robot import (
    Action,
    ActionResult,
    Capabilities,
    Duck,
    Emotion,
    Flush,
    FromRobot,
    Gestures,
    Hold,
    Ping,
    Pong,
    Release,
    SpeechEnd,
    SpeechFrame,
    ToRobot,
    Welcome,
)
from protocols.messages.robot import (
    Face as FaceMessage,
)
from protocols.messages.robot import (
    World as WorldMessage,
)
from protocols.vocabulary import FACE_GESTURES
from robot_sim.actions import Actions, Begun, Step
from robot_sim.body import Body, Standing
from robot_sim.ear import Ear
from robot_sim.events import GestureBegan, Happening
from robot_sim.face import Face
from robot_sim.face_wire import FaceWire
from robot_sim.floor import Floor
from robot_sim.speaker import Cue, Moment, Speaker

_WORLD_EVERY_NS = 1_000_000_000
_LISTENING = (Conversation.LISTENING, Conversation.PTT)
_SILENCED = (Moment.HELD, Moment.FLUSHED)


class Supervisor:
    """Ties the robot's parts together. ``notice`` is told of everything the robot does itself.

    ``body`` carries the face, a standing one if none is given; ``wire`` leads to a face on a port,
    which shows what ``face`` does. With an ``ear`` the robot yields at once to who speaks near it, if the hub
    takes what is said: ``hears`` is whether it does before it has said so.
    """

    def __init__(
        self,
        robot_id: str,
        capabilities: Capabilities,
        speaker: Speaker,
        notice: Callable[[Happening], None],
        body: Body | None = None,
        wire: FaceWire | None = None,
        ear: Ear | None = None,
        hears: bool = True,
    ) -> None:
        self.speaker = speaker
        self.face = Face()
        self.body = Standing(robot_id) if body is None else body
        self.wire = wire
        self._actions = Actions(capabilities)
        self._notice = notice
        self._hub_id = ""
        self._linked = False
        self._world_due_ns = 0
        self._floor = Floor(ear, speaker, notice, hears) if ear is not None else None

    def on_message(self, message: ToRobot, now_ns: int) -> list[FromRobot]:
        """Obey ``message``; return what the hub is to be told."""
        replies = self._obeyed(message, now_ns)
        if self._floor is not None:  # last: until now the robot was as silent as it had made itself
            replies += self._report(self._floor.told(message, now_ns))
        return replies + self._shown(now_ns)

    def _obeyed(self, message: ToRobot, now_ns: int) -> list[FromRobot]:
        match message:
            case Ping(t0_ns=t0_ns):
                return [Pong(t0_ns=t0_ns, t1_ns=now_ns, t2_ns=now_ns)]
            case Welcome():
                return self._welcomed(message, now_ns)
            case Emotion(emotion=emotion, intensity=intensity):
                self.face.show(emotion, intensity)
            case FaceMessage(conversation=state):
                self.face.converse(state)
                if state is Conversation.ATTENTION:
                    self.body.note("attention.wake")
            case Gestures(turn=turn, names=names):
                for name in names:
                    self._gesture(name, turn)
            case Action():
                return self._perform(self._actions.receive(message, now_ns))
        return self._play(message, now_ns)

    def on_speech(self, header: SpeechFrame, pcm: bytes, now_ns: int) -> list[FromRobot]:
        """Buffer a speech frame."""
        return self._report(self.speaker.feed(header, pcm, now_ns))

    def on_sound(self, pcm: bytes, now_ns: int) -> list[FromRobot]:
        """The microphone has heard ``pcm`` (16 kHz mono s16le), and nothing of this robot in it."""
        if self._floor is None:
            return []
        return self._cut(self._floor.hear(pcm, now_ns), now_ns)

    def advance(self, now_ns: int) -> list[FromRobot]:
        """Move every part to ``now_ns``."""
        replies = self._report(self.speaker.advance(now_ns))
        if self.speaker.playing is not None:
            self.face.talk(self.speaker.energy, now_ns)
        elif self.face.talking:
            self.face.hush()
        for name in self.face.advance(now_ns):
            self._notice(GestureBegan(name))
            if self.wire is not None:
                self.wire.gesture(name, now_ns)
        replies += self._shown(now_ns)
        replies += self._perform(self._actions.advance(now_ns))
        self.body.advance(now_ns)
        if self._linked and now_ns >= self._world_due_ns:
            self._world_due_ns = now_ns + _WORLD_EVERY_NS
            replies.append(self._world_state(now_ns))
        return replies

    def jumped(self, now_ns: int) -> list[FromRobot]:
        """The clock has jumped to ``now_ns``: nothing received before is played or begun."""
        self.speaker.drop(now_ns)
        self.face.drop()
        self._hush(now_ns)
        self.body.wake(now_ns)
        return self._perform(self._actions.expire())

    def unlinked(self) -> None:
        """The connection is gone; what is buffered plays on."""
        self._linked = False
        if self.wire is not None:
            self.wire.host.reset()

    def face_opened(self, now_ns: int) -> None:
        """The port of the face is open."""
        if self.wire is not None:
            self.wire.opened(now_ns)

    def face_closed(self) -> list[FromRobot]:
        """The port of the face is gone."""
        return self._wished(() if self.wire is None else self.wire.closed())

    def face_silent(self, now_ns: int) -> bool:
        """Whether the port is open and nothing has come for long."""
        return self.wire is not None and self.wire.host.link.gone_silent(now_ns)

    def on_face(self, data: bytes, now_ns: int) -> list[FromRobot]:
        """The face has written ``data``; return what the hub is to be told."""
        return self._wished(() if self.wire is None else self.wire.received(data, now_ns))

    def _shown(self, now_ns: int) -> list[FromRobot]:
        """Let a face on a port show what the face shows."""
        return self._wished(() if self.wire is None else self.wire.mirror(self.face, now_ns))

    def _wished(self, wishes: tuple[Wish, ...]) -> list[FromRobot]:
        said: list[FromRobot] = []
        for wish in wishes:
            if isinstance(wish, Noted):
                self.body.note(wish.event)
            said += requests(wish)
        return said

    def _hush(self, now_ns: int) -> None:
        """The voice was cut: close the mouth now."""
        self.face.hush()
        if self.wire is not None:
            self.wire.cut(now_ns)

    def _welcomed(self, welcome: Welcome, now_ns: int) -> list[FromRobot]:
        if self._hub_id not in ("", welcome.hub_id):
            self.speaker.forget(now_ns)
            self._actions.forget()
            self._hush(now_ns)
        elif not welcome.resumed:
            for cue in self.speaker.abandon(now_ns):
                self._notice(cue)
            self._hush(now_ns)
        self.speaker.adopt(welcome.epoch)
        self._hub_id = welcome.hub_id
        self._linked = True
        self._world_due_ns = now_ns + _WORLD_EVERY_NS
        playing = self.speaker.playing
        return [self._world_state(now_ns), *([] if playing is None else [playing])]

    def _play(self, message: ToRobot, now_ns: int) -> list[FromRobot]:
        match message:
            case SpeechEnd(turn=turn, samples=samples):
                return self._report(self.speaker.finish(turn, samples, now_ns))
            case Duck(turn=turn, gain_db=gain_db):
                return self._report(self.speaker.duck(turn, gain_db, now_ns))
            case Hold(turn=turn):
                return self._cut(self.speaker.hold(turn, now_ns), now_ns)
            case Release(turn=turn):
                return self._report(self.speaker.release(turn, now_ns))
            case Flush(epoch=epoch, turn=turn):
                upto = Stamp(epoch, turn)
                cues, flushed = self.speaker.flush(upto, now_ns)
                self.face.drop(turn)
                given_up = self._perform(self._actions.flush(upto))
                return [*self._cut(cues, now_ns), *given_up, flushed]
        return []

    def _cut(self, cues: list[Cue], now_ns: int) -> list[FromRobot]:
        if any(cue.moment in _SILENCED for cue in cues):
            self._hush(now_ns)
        return self._report(cues)

    def _report(self, cues: list[Cue]) -> list[FromRobot]:
        for cue in cues:
            self._notice(cue)
        return [cue.played for cue in cues]

    def _perform(self, steps: list[Step]) -> list[FromRobot]:
        results: list[FromRobot] = []
        for step in steps:
            self._notice(step)
            if isinstance(step, ActionResult):
                results.append(step)
            else:
                self._begin(step)
        return results

    def _begin(self, begun: Begun) -> None:
        action = begun.action
        match action.action:
            case "emote":
                intensity = action.params.get("intensity", 0.5)
                number = isinstance(intensity, int | float)
                self.face.show(action.name, min(1.0, max(0.0, intensity)) if number else 0.5)
            case "gesture":
                self._gesture(action.name, action.turn)
            case "skill":
                self.body.begin_skill(action.name)

    def _gesture(self, name: str, turn: int) -> None:
        """Face gestures wait for the face; the body's are done at once."""
        if name in FACE_GESTURES:
            self.face.queue(name, turn)
        else:
            self.body.note(f"gesture {name}")
            self._notice(GestureBegan(name))

    def _world_state(self, now_ns: int) -> WorldMessage:
        listening = self.face.conversation in _LISTENING
        return WorldMessage(
            world=self.body.state(now_ns, talking=self.face.talking, listening=listening)
        )
