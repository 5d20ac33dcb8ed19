"""One session's microphone: from chunks to windows, and from decisions to messages."""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from agents.ears import endpointing
from agents.ears.backends.base import VoiceActivity, WakeWord
from agents.ears.echo import canceller
from agents.ears.endpointing import AskTurnModel, Event, Rules, State, Window
from agents.ears.gate import Gate
from agents.ears.tape import SAMPLE_BYTES, Tape
from agents.runtime.service import Emit
from protocols.envelope import AnyEnvelope
from protocols.messages.audio import MIC_RATE_HZ, MicChunk, UtteranceChunk
from protocols.messages.session import Attention, AttentionSet, Endpointing, SessionAssign
from protocols.messages.voice import (
    DropReason,
    UtteranceDropped,
    UtteranceEnded,
    VoiceStarted,
    VoiceStopped,
    WakeDetected,
    WakeUnheard,
)

CHUNK_SAMPLES = MIC_RATE_HZ // 10
"""Speech goes to stt in pieces of at least this, except for the last one."""
REMEMBERED_SAMPLES = 8 * MIC_RATE_HZ
"""What the turn model looks at: the last 8 s of an utterance."""

_NO_WAKE_WORD = "no wake word engine; install robot-hub[wake] and see EARS_WAKE_BACKEND"

Ask = Callable[["Listener", AskTurnModel, bytes], None]


class Anchor(NamedTuple):
    """A capture sample and its time on the source's clock, in nanoseconds."""

    sample: int
    t_ns: int


class Listener:
    """Hears one robot. Not more than 8 s of sound are held, and none while it is muted.

    ``memory`` is what the voice activity backend keeps between this microphone's windows.
    """

    def __init__(
        self,
        assign: AnyEnvelope,
        emit: Emit,
        *,
        rules: Rules,
        activity: VoiceActivity,
        ask: Ask,
        counters: Counter[str],
        first_number: int,
        wake: WakeWord | None = None,
    ) -> None:
        order = assign.body
        assert isinstance(order, SessionAssign)
        self.robot = assign.robot
        self._emit, self._rules, self._activity = emit, rules, activity
        self._ask, self._counters = ask, counters
        self._canceller = canceller(order.aec, assign.robot)
        self._by_client = order.endpointing is Endpointing.CLIENT
        self._attention, self._pressed = order.attention, False
        self._gate = Gate(wake)
        self.memory: Any = activity.memory()
        self.state = State(number=first_number, position=order.first_sample)
        self._tape = Tape(order.first_sample)
        self._sent = order.first_sample
        self._anchor = Anchor(0, 0)
        self._closing: int | None = None
        self._wait_for_wake_word(AttentionSet(attention=order.attention, awake=order.awake))

    # microphone

    def hear(self, envelope: AnyEnvelope, chunk: MicChunk, pcm: bytes) -> None:
        """Take a chunk; what was heard before is cut off, what is missing is unknown sound."""
        if not pcm or len(pcm) % SAMPLE_BYTES:
            self._counters["bad_audio"] += 1
            return
        first = chunk.first_sample
        overlap = self._tape.end - first
        if overlap > 0:
            self._counters["samples_repeated"] += min(overlap, len(pcm) // SAMPLE_BYTES)
            pcm = pcm[overlap * SAMPLE_BYTES :]
            first += overlap
            if not pcm:
                return
        if envelope.t_src_ns:
            self._anchor = Anchor(chunk.first_sample, envelope.t_src_ns)
        if first > self._tape.end:
            self._gap(first)
        pcm = self._canceller.process(self.robot, pcm, chunk.playout_sample)
        if self._attention is Attention.MUTED:
            self._restart(first + len(pcm) // SAMPLE_BYTES)
            return
        self._take(pcm)

    def follows(self, chunk: MicChunk) -> bool:
        """Whether there is no gap before ``chunk``."""
        return chunk.first_sample <= self._tape.end

    def next_window(self) -> bytes | None:
        """The next samples to be judged, if they are all there; then call :meth:`judge`."""
        first = self.state.position
        end = first + self._activity.window
        return self._tape.cut(first, end) if end <= self._tape.end and self._listens else None

    def judge(self, probability: float) -> None:
        """Take the probability of voice in the window handed out last."""
        first = self.state.position
        window = Window(first, first + self._activity.window, probability)
        self._become(*endpointing.step(self._rules, self.state, window))
        if self.state.utterance and not self.state.held:
            self._send(self.state.position)
            if self._gate.closed:
                self._listen_for_wake_word()
        self._forget()

    def verdict(self, asked: AskTurnModel, probability: float) -> None:
        """Take the turn model's answer."""
        self._become(*endpointing.judged(self._rules, self.state, asked, probability))

    # orders

    def attend(self, order: AttentionSet) -> None:
        """Listen as told from now on."""
        released = self._pressed and not order.held
        changed = order.attention is not self._attention
        if released and order.attention is not Attention.MUTED:
            self._close(self._tape.end)
        if changed and self.state.utterance:
            self._abandon(DropReason.MUTED)
        if changed or order.held != self._pressed:
            self.memory = self._activity.memory()
        self._attention, self._pressed = order.attention, order.held
        self._wait_for_wake_word(order, changed=changed and not released)
        if self._attention is Attention.MUTED or not self._listens:
            self.state = endpointing.skip(self.state, self._tape.end)
        if self._attention is Attention.MUTED:
            self._restart(self._tape.end)
        elif self._attention is Attention.PUSH_TO_TALK and order.held and not self.state.utterance:
            self._hold(self._tape.end - self._rules.lead_in_ms * MIC_RATE_HZ // 1000)

    def close(self, last_sample: int) -> bool:
        """End the utterance at ``last_sample`` (-1: here); False if its sound is still to come."""
        if not self._by_client and not self.state.held:
            # An order that overtook sound would cut the utterance in two; the hub ends it itself.
            heard_all = last_sample - self.state.position < self._activity.window
            if self.state.utterance and heard_all:
                self._close(self.state.position)
            return True
        if last_sample > self._tape.end:
            self._closing = last_sample
            return False
        self._close(self._tape.end if last_sample < 0 else last_sample)
        return True

    def close_overdue(self, last_sample: int) -> None:
        """The sound that :meth:`close` waits for does not come: end with what is there."""
        if self._closing == last_sample:
            self._counters["close_short_of_audio"] += 1
            self._close(self._tape.end)

    def drop(self, utterance: int, last_sample: int = -1) -> None:
        """Forget ``utterance`` if it is the current one, and all sound up to ``last_sample``."""
        current = self.state.utterance
        if current and current == utterance:
            self.state = endpointing.drop(self.state, ignore_voice=True)
        elif current and last_sample >= 0:
            self._emit_event(UtteranceDropped(utterance=current, reason=DropReason.MUTED))
            self.state = endpointing.drop(self.state, ignore_voice=True)
        if last_sample >= 0:
            self._closing = None
            self.state = endpointing.forget(self.state, last_sample)
            if self._by_client or self._pressed:
                self._hold(self.state.floor)

    # inside

    @property
    def _listens(self) -> bool:
        return self._attention is not Attention.PUSH_TO_TALK or self._pressed

    def _wait_for_wake_word(self, order: AttentionSet, *, changed: bool = True) -> None:
        """Take what is said, or wait for the wake word, as ``order`` says. A client that bounds its
        utterances itself means them all."""
        gate = self._gate
        if order.attention is not Attention.WAKE_WORD or self._by_client:
            gate.closed = False
            return
        if changed and not gate.can_listen:
            self._emit(WakeUnheard(reason=_NO_WAKE_WORD))
        if not order.awake:
            gate.close(order.wake_sample)
            return
        called = order.wake_sample > gate.wake_sample
        if gate.closed and self.state.utterance not in (0, gate.taken):
            # Without a call, what began before is none of ours, and may be the robot's own voice.
            self.state = endpointing.drop(self.state, ignore_voice=not called)
        if called and not self.state.utterance:
            self.state = endpointing.forget(self.state, order.wake_sample)
        gate.open(order.wake_sample)

    def _listen_for_wake_word(self) -> None:
        state = self.state
        call = self._gate.listen(self._tape, state.first_sample, state.position)
        if call is None:
            return
        self._counters["wake_words"] += 1
        at = state.position
        self._gate.open(at)
        # The utterance is what is said after the word, most of which may have been heard by now.
        state = endpointing.drop(state, ignore_voice=False)
        self.state = endpointing.forget(state, at - self._gate.lag_samples)
        self._emit(
            WakeDetected(word=call.word, last_sample=at, probability=call.probability),
            t_src_ns=self._time(at),
        )

    def _take(self, pcm: bytes) -> None:
        self._tape.append(pcm)
        if not self._listens:
            self.state = endpointing.skip(self.state, self._tape.end)
            self._forget()
        elif self._by_client and not self.state.utterance:
            self._hold(self.state.floor)
        if self.state.held:
            end = self._tape.end
            self._send(end if self._closing is None else min(end, self._closing))
        if self._closing is not None and self._tape.end >= self._closing:
            self._close(self._closing)
            if self._by_client and self._tape.end > self.state.floor:
                self._hold(self.state.floor)

    def _gap(self, to: int) -> None:
        missing = to - self._tape.end
        self._counters["samples_missing"] += missing
        if self.state.utterance:
            self._send(self._tape.end, flush=True)
        self.state = endpointing.gap(self._rules, self.state, missing, self.state.position)
        self._restart(to)

    def _restart(self, at: int) -> None:
        self._tape = Tape(at)
        self._sent = max(at, self._sent)
        self.state = endpointing.skip(self.state, max(at, self.state.position))

    def _hold(self, first_sample: int) -> None:
        first = max(first_sample, self._tape.first)
        self.state = endpointing.hold(self.state, first)
        self._gate.taken = self.state.utterance
        self._sent = self.state.first_sample

    def _close(self, last_sample: int) -> None:
        self._closing = None
        need_voice = self._attention is Attention.PUSH_TO_TALK
        self._become(
            *endpointing.close(self._rules, self.state, last_sample, need_voice=need_voice)
        )

    def _abandon(self, reason: DropReason) -> None:
        self._emit_event(UtteranceDropped(utterance=self.state.utterance, reason=reason))
        self.state = endpointing.drop(self.state, ignore_voice=False)

    def _become(self, state: State, events: endpointing.Events) -> None:
        if state.utterance and state.utterance != self.state.utterance:
            self._sent = max(state.first_sample, self._tape.first)
        self.state = state
        for event in events:
            self._emit_event(event)

    def _emit_event(self, event: Event) -> None:
        told = self._gate.told(event)
        match told:
            case None:
                return
            case AskTurnModel():
                first = max(self.state.first_sample, self.state.position - REMEMBERED_SAMPLES)
                self._ask(self, told, self._tape.cut(first, self.state.position))
            case VoiceStarted():
                self._emit(told, t_src_ns=self._time(told.first_sample))
            case VoiceStopped():
                self._emit(told, t_src_ns=self._time(told.last_sample))
            case UtteranceEnded():
                self._send(told.last_sample, flush=True, utterance=told.utterance)
                self._emit(told, t_src_ns=self._time(told.speech_end_sample))
            case _:
                self._emit(told, t_src_ns=self._time(self.state.position))

    def _send(self, upto: int, *, flush: bool = False, utterance: int = 0) -> None:
        if upto <= self._sent or (upto - self._sent < CHUNK_SAMPLES and not flush):
            return
        utterance = utterance or self.state.utterance
        if utterance != self._gate.taken:
            self._sent = upto
            return
        chunk = UtteranceChunk(utterance=utterance, first_sample=self._sent)
        pcm = self._tape.cut(self._sent, upto)
        self._emit(chunk, pcm, t_src_ns=self._time(self._sent))
        self._sent = upto

    def _forget(self) -> None:
        keep = self._rules.lead_in_ms * MIC_RATE_HZ // 1000 + self.state.run
        if self.state.utterance:
            keep = max(REMEMBERED_SAMPLES, self.state.position - self._sent)
        self._tape.forget(self.state.position - keep)

    def _time(self, sample: int) -> int:
        """When ``sample`` was captured, on the clock of the microphone's chunks."""
        if not self._anchor.t_ns:
            return 0
        return self._anchor.t_ns + (sample - self._anchor.sample) * 1_000_000_000 // MIC_RATE_HZ
