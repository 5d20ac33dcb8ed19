"""A face as its host drives it: typed face state in, frames out; frames in, what its user wants out.

One for every way on which a face joins: a serial port of the robot's supervisor, or a WebSocket of
the hub. A face that is told of another mood changes at once; how it gives way is choreographed here.
Pure: times in nanoseconds of the host's clock.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from protocols.choreography import Choreography, Move
from protocols.face import (
    GESTURES,
    MOODS,
    Button,
    ButtonPress,
    FaceCommand,
    FaceTelemetry,
    Pressed,
    SetConversation,
    SetState,
    SetTalking,
    ShowGesture,
    Status,
    Touch,
    Touched,
)
from protocols.face_link import FaceLink, News
from protocols.messages.face import Conversation
from protocols.messages.robot import AttentionRequest, Cancel
from protocols.messages.session import Attention

_STATES = tuple(Conversation)
_AT_REST = (Conversation.IDLE, Conversation.DONE, Conversation.ERROR)
_TALKING = SetTalking(True)
_CLOSED = SetTalking(False)


class Held(NamedTuple):
    """Push-to-talk is on or off now."""

    held: bool


class Stopped(NamedTuple):
    """The user wants the robot to stop: ``ACTION`` was clicked in a conversation."""


class Noted(NamedTuple):
    """Something that a planner may want to know, by its name."""

    event: str


Wish = Held | Stopped | Noted


def requests(wish: Wish) -> tuple[AttentionRequest | Cancel, ...]:
    """What a hub is asked for because of a wish."""
    match wish:
        case Held(held):
            return (AttentionRequest(attention=Attention.PUSH_TO_TALK, held=held),)
        case Stopped():
            return (Cancel(),)
    return ()


class Step(NamedTuple):
    """What a step brought: bytes for the port, and what the user of the face wants."""

    frames: tuple[bytes, ...] = ()
    wishes: tuple[Wish, ...] = ()

    @property
    def data(self) -> bytes:
        return b"".join(self.frames)


class FaceHost:
    """``held`` is whether push-to-talk is on, as the host sees it.

    The latch of push-to-talk is the face's own: nothing resets it when a conversation ends, and a
    quick tap may lose its message. So not the latch counts but its change: each is one tap, and each
    tap turns ``held`` over. The latch is told twenty times a second, so no tap is lost.
    """

    def __init__(self, chance: Callable[[], float] = lambda: 0.5) -> None:
        """``chance`` gives numbers from 0 to 1, for when a listener nods."""
        self.link = FaceLink()
        self.held = False
        self._latch: bool | None = None
        self._starts = 0
        self._choreography = Choreography(chance=chance)

    def opened(self, now_ns: int) -> Step:
        """The port is open."""
        self._latch = None
        return Step(self.link.opened(now_ns).frames)

    def closed(self) -> Step:
        """The port is gone; nobody can let go of a button that is."""
        self.link.closed()
        self._latch = None
        return Step((), tuple(self._let_go()))

    def reset(self) -> None:
        """The hub knows of no push-to-talk: another session has begun, or none is there."""
        self.held = False

    def show(self, emotion: str, intensity: float, now_ns: int) -> Step:
        """Show a mood: the present one gives way to it over half a second. An emotion that the face
        has not is neutral."""
        known = emotion if emotion in MOODS else MOODS[0]
        self._choreography.feel(known, intensity, now_ns)
        return self._posed(now_ns)

    def converse(self, state: Conversation, now_ns: int) -> Step:
        """Show what the conversation is at, at once; eyes and gestures follow."""
        self._choreography.converse(state, now_ns)
        return self._tell(SetConversation(_STATES.index(state)), now_ns)

    def gesture(self, name: str, now_ns: int) -> Step:
        """Show a gesture, if the face has it."""
        if name not in GESTURES:
            self.link.counters["gestures.unknown"] += 1
            return Step()
        return self._tell(ShowGesture(GESTURES.index(name)), now_ns)

    def talk(self, energy: int, now_ns: int) -> Step:
        """Move the mouth."""
        return self._tell(_TALKING._replace(energy=max(0, min(255, energy))), now_ns)

    def hush(self, now_ns: int) -> Step:
        """Close the mouth."""
        return self._tell(_CLOSED, now_ns)

    def received(self, data: bytes, now_ns: int) -> Step:
        """Bytes came from the face."""
        return self._brought(self.link.received(data, now_ns))

    def advance(self, now_ns: int) -> Step:
        """Do what is due, about every 20 ms."""
        moves = self._choreography.advance(now_ns)
        frames = list(self._posed(now_ns).frames)
        for move in moves if self.link.version else ():
            frames += self._tell(_shown(move), now_ns).frames
        brought = self._brought(self.link.advance(now_ns))
        return Step((*frames, *brought.frames), brought.wishes)

    # inside

    def _posed(self, now_ns: int) -> Step:
        pose = self._choreography.pose
        state = SetState(
            MOODS.index(pose.emotion),
            round(255 * pose.intensity),
            round(127 * pose.gaze_x),
            round(127 * pose.gaze_y),
        )
        return self._tell(state, now_ns)

    def _tell(self, command: FaceCommand, now_ns: int) -> Step:
        return Step(self.link.tell(command, now_ns).frames)

    def _brought(self, news: News) -> Step:
        wishes = list(self._started_anew())
        for told in news.told:
            wishes += self._wished(told)
        return Step(news.frames, tuple(wishes))

    def _started_anew(self) -> Iterable[Wish]:
        starts = self.link.counters["face.started_anew"]
        if starts != self._starts:
            self._starts, self._latch = starts, None
            yield from self._let_go()

    def _wished(self, told: FaceTelemetry) -> Iterable[Wish]:
        match told:
            case Status(listening=latch) | ButtonPress(Button.PTT, Pressed.TOGGLE, latch):
                yield from self._latched(latch)
            case ButtonPress(Button.ACTION, Pressed.CLICK):
                resting = self._choreography.conversation in _AT_REST
                yield Noted("face.button.click") if resting else Stopped()
            case Touch(kind) if kind in (Touched.PRESS, Touched.RELEASE):
                yield Noted(f"face.touch.{Touched(kind).name.lower()}")

    def _latched(self, latch: bool) -> Iterable[Wish]:
        before, self._latch = self._latch, latch
        if before is None or latch == before:
            return
        self.held = not self.held
        yield Held(self.held)

    def _let_go(self) -> Iterable[Wish]:
        if self.held:
            self.held = False
            yield Held(False)


def _shown(move: Move) -> ShowGesture:
    return ShowGesture(GESTURES.index(move.gesture), move.duration_ms)
