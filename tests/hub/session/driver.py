"""Drives the pure engine like a robot and its agents would, and keeps what came out."""

from typing import TypeVar

from hub.session import effects as do
from hub.session import events as on
from hub.session.engine import step
from hub.session.state import Policy, State
from protocols.envelope import Message
from protocols.messages import robot, speech, transcript, turn, voice
from protocols.messages.agent import AgentKind
from protocols.messages.robot import Hello
from protocols.messages.session import EchoCanceller
from protocols.messages.turn import Outcome, Priority

T = TypeVar("T")
MS = 1_000_000
STORY = "Once upon a time there was a robot. It lived in a big house and it liked to count birds."
EVERYBODY = (
    (AgentKind.EARS, "primary"),
    (AgentKind.STT, "primary"),
    (AgentKind.PLANNER, "primary"),
    (AgentKind.PLANNER, "reflex"),
    (AgentKind.TTS, "primary"),
)


class Driver:
    """A robot whose microphone, planner and voice are method calls."""

    def __init__(
        self,
        aec: EchoCanceller = EchoCanceller.DEVICE,
        policy: Policy | None = None,
        agents: tuple[tuple[AgentKind, str], ...] = EVERYBODY,
        hello: Hello | None = None,
    ) -> None:
        self.now = 1_000 * MS
        self.state = State("robot1", policy or Policy())
        self.effects: list[do.Effect] = []
        self.utterance = 0
        for kind, role in agents:
            self.feed(on.AgentUp(kind, role))
        self.feed(on.Connected(1, "sess-1", hello or Hello(aec=aec)))
        self.effects.clear()

    # driving

    def feed(self, event: on.Event) -> list[do.Effect]:
        self.state, effects = step(self.state, event, self.now)
        self.effects += effects
        return list(effects)

    def wait(self, ms: int) -> None:
        """Let time pass, with every timer going off on its moment."""
        until = self.now + ms * MS
        while (due := self.state.due_ns) is not None and due <= until:
            self.now = max(self.now, due)
            self.feed(on.Tick())
        self.now = until

    def agent(
        self, kind: AgentKind, message: Message, number: int | None = None, role: str = "primary"
    ) -> list[do.Effect]:
        if number is None:
            number = self.state.turn.number if self.state.turn else 0
        return self.feed(on.FromAgent(message, kind, role, number, self.now))

    def ears(self, message: Message) -> list[do.Effect]:
        return self.agent(AgentKind.EARS, message, 0)

    def planner(self, message: Message, role: str = "primary") -> list[do.Effect]:
        return self.agent(AgentKind.PLANNER, message, role=role)

    def user(self, message: robot.FromRobot) -> list[do.Effect]:
        return self.feed(on.FromUser(message))

    # what people do

    def starts_to_speak(self, confirmed: bool = False) -> int:
        self.utterance += 1
        self.ears(voice.VoiceStarted(utterance=self.utterance, first_sample=0))
        if confirmed:
            self.wait(250)
            self.ears(voice.VoiceConfirmed(utterance=self.utterance, voiced_ms=250))
        return self.utterance

    def goes_on_speaking(self) -> None:
        """The user has spoken for longer than it takes to say "uh huh"."""
        self.ears(voice.VoiceLasted(utterance=self.utterance, voiced_ms=600))

    def ends_utterance(self) -> None:
        """Ears finds the end of what the user says; the transcript is still to come."""
        self.ears(
            voice.UtteranceEnded(
                utterance=self.utterance,
                first_sample=0,
                last_sample=9,
                speech_end_sample=8,
                reason=voice.EndReason.SILENCE,
            )
        )

    def stops_speaking(self, text: str) -> None:
        """The user falls silent and is understood."""
        number = self.utterance
        self.ears(voice.VoiceStopped(utterance=number, last_sample=9, voiced_ms=500))
        self.wait(200)
        self.ends_utterance()
        self.wait(10)
        self.agent(AgentKind.STT, transcript.TranscriptFinal(utterance=number, text=text), 0)

    def says(self, text: str) -> None:
        """The user speaks a whole utterance."""
        self.starts_to_speak(confirmed=True)
        self.stops_speaking(text)

    def answers(self, text: str, role: str = "primary", emotion: str = "happy") -> None:
        """The planner gives a whole response."""
        self.planner(turn.ResponseMeta(emotion=emotion), role)
        self.planner(turn.ResponseDelta(text=text), role)
        self.planner(turn.ResponseDone(), role)

    def voices(self, ms_a_word: int = 100) -> int:
        """Tts makes the speech of every phrase requested so far; the response's length in ms."""
        live = self.state.turn
        assert live is not None
        at = live.total_ms
        for number in range(live.spoken, len(live.phrases)):
            words = []
            first = at
            for word in live.phrases[number].text.split():
                words.append(speech.WordMark(word, at, at + ms_a_word))
                at += ms_a_word
            self.agent(AgentKind.TTS, speech.SpeechMarks(phrase=number, words=tuple(words)))
            self.feed(on.SpeechArrived(live.number))
            self.agent(
                AgentKind.TTS,
                speech.SpeechEnded(
                    phrase=number, first_sample=first * 16, last_sample=at * 16, rate_hz=16_000
                ),
            )
        return at

    def plays(self, ms: int) -> None:
        """The loudspeaker gets to ``ms`` of the live turn."""
        live = self.state.turn
        assert live is not None
        self.feed(on.SpeechSent(live.number))
        self.feed(on.SpeechHeard(live.number, ms, self.now))

    def converses(self, user: str, answer: str, played_ms: int) -> None:
        """A turn up to the point where the robot has played ``played_ms`` of its answer."""
        self.says(user)
        self.answers(answer)
        self.voices()
        self.plays(played_ms)

    # what came out

    def all(self, kind: type[T]) -> list[T]:
        return [e for e in self.effects if isinstance(e, kind)]

    def told(self, kind: type[T]) -> list[T]:
        """Messages of a class to the robot."""
        return [t.message for t in self.all(do.Tell) if isinstance(t.message, kind)]

    def reported(self, kind: type[T]) -> list[T]:
        return [r.message for r in self.all(do.Report) if isinstance(r.message, kind)]

    def ordered(self, kind: type[T], role: str = "primary") -> list[T]:
        return [
            o.message for o in self.all(do.Order) if isinstance(o.message, kind) and o.role == role
        ]

    def kinds(self) -> list[str]:
        """The effects in order, by the names of what they carry."""
        return [
            type(e.message).__name__ if isinstance(e, do.Tell | do.Report | do.Order)
            else type(e).__name__
            for e in self.effects
        ]  # fmt: skip

    @property
    def outcomes(self) -> list[tuple[int, Outcome, str]]:
        """Terminal events so far: turn, outcome, code."""
        return [
            (r.turn, r.message.outcome, r.message.code)
            for r in self.all(do.Report)
            if isinstance(r.message, turn.TurnEnded)
        ]

    def announce(self, text: str = "Lunch is ready.", **fields: object) -> list[do.Effect]:
        fields = {"priority": Priority.PLAN, "request": 7} | fields
        return self.feed(on.Announce(text, **fields))
