"""Ears: voice activity and utterances of all robots, judged together window by window."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from agents.ears.backends.base import TurnModel, VoiceActivity, WakeWord
from agents.ears.endpointing import DEFAULT_RULES, AskTurnModel, Rules
from agents.ears.listener import Listener
from agents.runtime.errors import AgentError
from agents.runtime.service import Emit
from protocols.envelope import AnyEnvelope, Message
from protocols.messages.audio import MicChunk, UtteranceChunk
from protocols.messages.session import AttentionSet, SessionAssign, SessionRelease
from protocols.messages.voice import (
    UtteranceClose,
    UtteranceDrop,
    UtteranceDropped,
    UtteranceEnded,
    VoiceConfirmed,
    VoiceLasted,
    VoiceStarted,
    VoiceStopped,
    WakeDetected,
    WakeUnheard,
)

CLOSE_WAIT_S = 0.5
"""How long ``utterance.close`` waits for microphone audio that it has overtaken."""
MAX_QUESTIONS = 16
"""Questions to the turn model that may wait; further ones are left to the silence rules."""

log = structlog.get_logger(__name__)


class Ears:
    """The batch service. Utterance numbers grow per robot and never start again, whatever
    happens to its sessions; ``first_number`` keeps them growing over a restart of the process."""

    name = "ears"
    consumes: frozenset[type[Message]] = frozenset(
        {MicChunk, AttentionSet, UtteranceClose, UtteranceDrop, SessionRelease}
    )
    produces: frozenset[type[Message]] = frozenset(
        {
            VoiceStarted, VoiceConfirmed, VoiceLasted, VoiceStopped, UtteranceEnded,
            UtteranceDropped, UtteranceChunk, WakeDetected, WakeUnheard,
        }
    )  # fmt: skip

    def __init__(
        self,
        activity: VoiceActivity,
        turn_model: TurnModel | None = None,
        wake: WakeWord | None = None,
        *,
        rules: Rules = DEFAULT_RULES,
        first_number: int = 0,
    ) -> None:
        self._activity, self._turn_model, self._wake = activity, turn_model, wake
        self._rules = rules
        self._first_number = first_number
        self._numbers: dict[str, int] = {}
        self._listeners: dict[str, Listener] = {}
        self._unheard: dict[str, Listener] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="turn-model")
        self._questions = 0
        self.counters: Counter[str] = Counter()

    # what the runtime calls

    def open(self, assign: AnyEnvelope, emit: Emit) -> None:
        self.close(assign.robot)
        order = assign.body
        assert isinstance(order, SessionAssign)
        self._listeners[assign.robot] = Listener(
            assign,
            emit,
            rules=self._rules,
            activity=self._activity,
            ask=self._ask,
            counters=self.counters,
            first_number=self._numbers.get(assign.robot, self._first_number),
            wake=self._wake,
        )

    def handle(self, envelope: AnyEnvelope, blob: bytes) -> None:
        listener = self._listeners.get(envelope.robot)
        if listener is None:
            self.counters["no_session"] += 1
            return
        match envelope.body:
            case MicChunk() as chunk:
                if not listener.follows(chunk):
                    self._judge_alone(listener)
                listener.hear(envelope, chunk, blob)
                self._unheard[envelope.robot] = listener
            case order:
                # An order holds from where the sound stands that came before it.
                self._judge_alone(listener)
                self._obey(listener, order)

    def drained(self) -> dict[str, AgentError]:
        failed = self._judge(list(self._unheard.values()))
        self._unheard.clear()
        return failed

    def close(self, robot: str) -> None:
        listener = self._listeners.pop(robot, None)
        self._unheard.pop(robot, None)
        if listener is not None:
            self._numbers[robot] = listener.state.number

    # inside

    def _judge(self, listeners: Sequence[Listener]) -> dict[str, AgentError]:
        """Judge every complete window, one of each robot at a time; robots that could not be, and
        why: the others are none the worse for it."""
        failed: dict[str, AgentError] = {}
        while True:
            waiting = [(one, pcm) for one in listeners if (pcm := one.next_window()) is not None]
            if not waiting:
                return failed
            scores = self._activity.score([(one.memory, pcm) for one, pcm in waiting])
            for (one, _), probability in zip(waiting, scores, strict=True):
                try:
                    one.judge(probability)
                except AgentError as error:
                    failed[one.robot] = error
            listeners = [one for one, _ in waiting if one.robot not in failed]

    def _judge_alone(self, listener: Listener) -> None:
        """The same of one robot, whose own session an error ends."""
        for error in self._judge([listener]).values():
            raise error

    def _obey(self, listener: Listener, order: object) -> None:
        match order:
            case AttentionSet():
                listener.attend(order)
            case UtteranceDrop(utterance=number, last_sample=last):
                listener.drop(number, last)
            case UtteranceClose(last_sample=last):
                if not listener.close(last):
                    loop = asyncio.get_running_loop()
                    loop.call_later(CLOSE_WAIT_S, listener.close_overdue, last)
            case _:
                self.counters["unexpected_order"] += 1

    def _ask(self, listener: Listener, question: AskTurnModel, pcm: bytes) -> None:
        """Put a question to the turn model; its answer comes back on the loop."""
        model = self._turn_model
        if model is None:
            return
        if self._questions >= MAX_QUESTIONS:
            self.counters["turn_model_busy"] += 1
            return
        self._questions += 1
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._thread, model.judge, pcm)
        future.add_done_callback(lambda done: self._answer(listener, question, done))

    def _answer(
        self, listener: Listener, question: AskTurnModel, done: "asyncio.Future[float]"
    ) -> None:
        self._questions -= 1
        if self._listeners.get(listener.robot) is not listener or done.cancelled():
            return
        try:
            listener.verdict(question, done.result())
        except AgentError as error:
            self.counters[error.code] += 1
