"""The engine's working copy of a state, with the verbs its rules are written in.

Only ``engine.step`` makes one; it lives for one event.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from hub.open_turn import Phrase
from hub.session import effects as do
from hub.session import guard, phrases, waterfall
from hub.session.affect import profile_of
from hub.session.effects import PRIMARY, REFLEX
from hub.session.heard import heard_answer
from hub.session.preemption import Claim
from hub.session.state import Barge, State, Timer, Turn, after
from hub.session.waterfall import Stage
from protocols.envelope import Message
from protocols.messages import face, robot, speech
from protocols.messages.agent import AgentKind
from protocols.messages.turn import (
    Exchange,
    Outcome,
    TurnCancel,
    TurnEnded,
    TurnStart,
    TurnStarted,
)

_TURN_TIMERS = (
    Timer.PLANNER, Timer.FILLER, Timer.SILENCE, Timer.AFFECT, Timer.BARGE, Timer.LOOK,
)  # fmt: skip
_GIVEN_UP = (Outcome.REOPENED, Outcome.CANCELLED)
"""Ends of a turn whose user went on, or wants nothing any more; unless the robot has left."""


class Draft:
    """A state being changed by one event at ``now_ns``, and the effects wanted so far."""

    def __init__(self, state: State, now_ns: int) -> None:
        self.state = state
        self.now_ns = now_ns
        self.effects: list[do.Effect] = []
        self.told_hearing = state.hearing
        """How the robot listens by what its ears and everybody else know."""

    # the state

    @property
    def turn(self) -> Turn | None:
        return self.state.turn

    def set(self, **fields: Any) -> None:
        self.state = replace(self.state, **fields)

    def set_turn(self, **fields: Any) -> Turn:
        """Change the live turn and return it."""
        assert self.state.turn is not None
        turn = replace(self.state.turn, **fields)
        self.set(turn=turn)
        return turn

    def stage(self, stage: Stage, at_ns: int | None = None) -> None:
        """Stamp a moment of the live turn, the first time it happens."""
        turn = self.state.turn
        if turn is not None and stage not in turn.stages:
            at = self.now_ns if at_ns is None else at_ns
            self.set_turn(stages=_with(turn.stages, stage, at))

    def arm(self, timer: Timer, ms: int) -> None:
        self.set(timers=_with(self.state.timers, timer, after(self.now_ns, ms)))

    def arm_at(self, timer: Timer, at_ns: int) -> None:
        self.set(timers=_with(self.state.timers, timer, at_ns))

    def disarm(self, *timers: Timer) -> None:
        kept = {t: at for t, at in self.state.timers.items() if t not in timers}
        self.set(timers=MappingProxyType(kept))

    # effects

    def do(self, effect: do.Effect) -> None:
        self.effects.append(effect)

    def tell(self, message: robot.ToRobot) -> None:
        self.do(do.Tell(message))

    def report(self, message: Message) -> None:
        self.do(do.Report(message, self.turn.number if self.turn else 0))

    def order(self, kind: AgentKind, message: Message, role: str = PRIMARY) -> None:
        """Command the instance that serves this robot, if there is one."""
        if self.state.has(kind, role):
            self.do(do.Order(kind, message, self.turn.number if self.turn else 0, role))

    def show(self, conversation: face.Conversation) -> None:
        """Let the face show where the conversation stands."""
        if conversation is self.state.face:
            return
        self.set(face=conversation)
        self.tell(robot.Face(conversation=conversation))
        self.report_face()

    def rest(self) -> None:
        """Let the face show how the robot listens: nobody is being answered."""
        self.show(self.state.at_rest)

    def report_face(self) -> None:
        """Publish what the face shows by now."""
        emotion, intensity = self.state.face_mood
        talking = self.state.face is face.Conversation.SPEAKING
        self.report(
            face.FaceChanged(
                conversation=self.state.face, emotion=emotion, intensity=intensity, talking=talking
            )
        )

    # a turn's life

    def begin(self, claim: Claim, user_text: str = "", request: int = 0) -> None:
        """Begin the next turn; whoever had the voice has been ended before."""
        state = self.state
        number, reopens = state.last_turn + 1, state.reopens
        turn = Turn(
            number,
            claim,
            user_text,
            request=request,
            rate_hz=state.hello.speech_rate_hz,
            voiceless="" if state.has(AgentKind.TTS, PRIMARY) else "tts_unavailable",
        )
        self.set(turn=turn, last_turn=number, carried="", reopens=0, barge=Barge.NONE)
        self.tell(turn.beginning)
        self.report(TurnStarted(priority=claim.priority, user_text=user_text, reopens=reopens))

    def expect_speech(self) -> None:
        """Let tts know of the live turn. Expected after that, since credit comes with it."""
        turn = self.turn
        assert turn is not None
        self.order(AgentKind.TTS, TurnStart(user_text="", language=self.state.language))
        self.do(do.Expect(turn.number))

    def ask(self, role: str, fallback: str = "") -> None:
        """Let the planner ``role`` answer the live turn."""
        turn, state = self.set_turn(role=role, fallback=fallback), self.state
        able, own = state.able, state.own
        start = TurnStart(
            user_text=turn.user_text,
            history=state.history,
            language=state.language,
            emotions=able.emotions,
            gestures=able.gestures,
            skills=able.skills,
            profile=profile_of(state),
            world=dict(state.world),
            sight=turn.sight,
            name=own.name,
            persona=own.persona,
            may_use=own.tools,
        )
        self.order(AgentKind.PLANNER, start, role)
        self.arm(Timer.PLANNER, state.policy.planner_deadline_ms)

    def feel(self, emotion: str, intensity: float) -> None:
        """Show the turn's mood, and only then let its speech out."""
        turn = self.set_turn(emotion=emotion, intensity=intensity, shown=True)
        self.disarm(Timer.AFFECT)
        self.tell(
            robot.Emotion(
                turn=turn.number,
                emotion=emotion,
                intensity=intensity,
                mood_reason=turn.mood_reason,
            )
        )
        self.report_face()
        self.do(do.Play(turn.number))

    @property
    def has_a_face(self) -> bool:
        """Whether it is shown how the live turn feels, or will be at once."""
        turn = self.turn
        return turn is not None and (turn.shown or Timer.AFFECT in self.state.timers)

    def cut(self, text: str = "", final: bool = False) -> None:
        """Add ``text`` to the response and request the speech of every phrase that is complete."""
        turn = self.turn
        assert turn is not None
        first = not turn.text
        found, rest = phrases.cut(turn.uncut + text, first, final)
        self.set_turn(uncut=rest)
        for phrase in found:
            self.speak(phrase)

    def speak(self, sentence: str, filler: bool = False) -> None:
        """Request the speech of one phrase, past the guard."""
        turn = self.turn
        assert turn is not None
        verdict = self._checked(sentence, turn)
        if verdict.kept_back and any(p.text == verdict.text for p in turn.phrases):
            return  # once in a turn is enough
        sentence = verdict.text
        self.stage(Stage.FIRST_PHRASE)
        if not self.has_a_face:
            self.feel(*self.state.face_mood)
        number = len(turn.phrases)
        turn = self.set_turn(phrases=(*turn.phrases, Phrase(sentence, filler)))
        self.disarm(Timer.FILLER)
        if turn.voiceless:
            return
        emotion, intensity = self.state.voice_mood
        request = speech.SpeechRequest(
            phrase=number,
            text=sentence,
            rate_hz=turn.rate_hz,
            emotion=emotion,
            intensity=intensity,
            language=self.state.language,
            voice=self.state.own.voice,
            volume=self.state.own.volume,
        )
        self.order(AgentKind.TTS, request)
        self.arm(Timer.SILENCE, self.state.policy.silence_ms)

    def _checked(self, sentence: str, turn: Turn) -> guard.Verdict:
        if not self.state.policy.guard:
            return guard.Verdict(sentence)
        before = " ".join(phrase.text for phrase in turn.phrases[-guard.BEFORE_PHRASES :])
        verdict = guard.checked(sentence, before)
        if verdict.kept_back:
            self.do(do.KeptBack("spoken", verdict.kept_back))
        return verdict

    def finish_text(self, code: str = "") -> None:
        """No more text comes; ``code`` if that is not as it should be."""
        self.cut(final=True)
        self.disarm(Timer.PLANNER, Timer.FILLER)
        turn = self.set_turn(text_done=True, code=code)
        if turn.voiceless and turn.speaks:
            self.end(Outcome.FAILED, turn.voiceless)
            return
        self.order(AgentKind.TTS, speech.SpeechFinish(phrases=len(turn.phrases)))
        self.complete()

    def lose_voice(self, code: str) -> None:
        """Tts cannot speak this turn: the rest of it is text."""
        turn = self.set_turn(voiceless=code)
        self.disarm(Timer.SILENCE)
        if turn.text_done:
            self.end(Outcome.FAILED, code)

    def complete(self) -> None:
        """End the turn if all of it is said and played, or announce its length if it is made."""
        turn = self.turn
        assert turn is not None
        if not turn.text_done or turn.spoken < len(turn.phrases):
            return
        if not turn.complete and turn.speaks:
            turn = self.set_turn(complete=True)
            self.do(do.SpeechComplete(turn.number, turn.samples))
        if turn.played_ms >= turn.total_ms:
            self.end(Outcome.FAILED if turn.code else Outcome.DONE, turn.code)

    def end(self, outcome: Outcome, code: str = "") -> None:
        """The turn's one terminal event. Cuts first, tells later."""
        turn = self.turn
        assert turn is not None
        if outcome is not Outcome.DONE:
            self._fence(turn.number, code or outcome)
        if turn.looking:
            self.do(do.LookAway(turn.number))
        gone = outcome is Outcome.CANCELLED and not self.state.connected
        if outcome in _GIVEN_UP and not (turn.audible or gone):
            self.do(do.TakeBack(turn.number))
        heard = _heard(turn)
        steps = waterfall.segments(turn.stages)
        self.report(
            TurnEnded(
                outcome=outcome,
                code=code,
                user_text=turn.user_text,
                response_text=turn.text,
                heard_text=heard,
                played_ms=turn.played_ms,
                segments=steps,
                responder=turn.role,
                fallback=turn.fallback,
                orphaned_tools=tuple(name for _, name in turn.tools),
            )
        )
        self.tell(
            robot.TurnEnd(
                turn=turn.number,
                outcome=outcome,
                code=code,
                heard_text=heard,
                response_text=turn.text,
                segments=steps,
                responder=turn.role,
                fallback=turn.fallback,
                intent=turn.intent,
            )
        )
        if outcome is not Outcome.REOPENED and (turn.user_text or heard):
            self._remember(turn, heard, outcome)
        if turn.request:
            self.do(do.Settle(turn.request, outcome))
        self.set(turn=None, fence=turn.number, barge=Barge.NONE)
        self.disarm(*_TURN_TIMERS)
        if turn.user_text:
            self.set(hearing=self.state.hearing.after_an_answer)
        self.rest()

    def _fence(self, number: int, reason: str) -> None:
        """Everything at or below ``number`` is stale. The edge first, then the robot, then the
        agents: silence does not wait for a hop."""
        self.do(do.Fence(number))
        self.tell(robot.Flush(epoch=self.state.epoch, turn=number))
        cancel = TurnCancel(reason=reason)
        self.order(AgentKind.TTS, cancel)
        self.order(AgentKind.PLANNER, cancel)
        self.order(AgentKind.PLANNER, cancel, REFLEX)

    def _remember(self, turn: Turn, heard: str, outcome: Outcome) -> None:
        exchange = Exchange(
            turn=turn.number,
            user=turn.user_text,
            robot=heard,
            emotion=turn.emotion,
            interrupted=outcome is Outcome.INTERRUPTED,
        )
        kept = (*self.state.history, exchange)[-self.state.policy.history_turns :]
        self.set(history=kept)
        self.do(do.Remember(exchange))

    def cancel_planner(self, role: str, reason: str) -> None:
        """Fence the live turn at one planner alone; another may take it over."""
        self.order(AgentKind.PLANNER, TurnCancel(reason=reason), role)


def _heard(turn: Turn) -> str:
    """What the user heard of a turn's answer."""
    if turn.complete and turn.played_ms >= turn.total_ms:
        return turn.text
    return heard_answer(turn.phrases, turn.played_ms)


def _with(mapping: Mapping[Any, int], key: Any, value: int) -> Mapping[Any, int]:
    return MappingProxyType({**mapping, key: value})
