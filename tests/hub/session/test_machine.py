"""Random lives of two robots: whatever comes in whatever order, the invariants hold.

Two seats are driven by everything that can reach them, late, twice and mixed up, and every
message to a robot and every fact is checked as it leaves (design: I1, I2, I7, I11, I12).
"""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hub.counters import Counters
from hub.session import events as on
from hub.session.character import Character
from hub.session.diary import Diary
from hub.session.eyes import Blind, EyeServices
from hub.session.link import LinkProfile
from hub.session.memories import Memories
from hub.session.seat import Seat
from hub.session.seat_services import SeatServices
from hub.session.state import State
from hub.session.ticker import LEAVE
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.messages import affect, audio, face, robot, speech, transcript, turn, voice
from protocols.messages.agent import AgentKind
from protocols.messages.robot import Capabilities, Hello
from protocols.messages.session import Camera, EchoCanceller, Endpointing

ROBOTS = ("r1", "r2")
AGENTS = {
    (AgentKind.EARS, "primary"): "ears-1",
    (AgentKind.STT, "primary"): "stt-1",
    (AgentKind.PLANNER, "primary"): "planner-1",
    (AgentKind.PLANNER, "reflex"): "planner-2",
    (AgentKind.TTS, "primary"): "tts-1",
    (AgentKind.VISION, "primary"): "vision-1",
    (AgentKind.FEELINGS, "primary"): "feelings-1",
}
CAMERA = Camera(hfov_deg=62.0, width=640, height=480)
MS = 1_000_000
WORDS = "one two three four. five six, seven eight. nine ten"


class Alarm(NamedTuple):
    at_ns: int
    number: int
    call: Callable[[], None]


class Unstarted:
    """Stands in for the task of a look: what comes of it, a rule decides."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        work.close()

    def cancel(self) -> None:
        pass


class Handle:
    """Stands in for ``asyncio.TimerHandle``."""

    def __init__(self, alarms: dict[int, Alarm], number: int) -> None:
        self._alarms, self._number = alarms, number

    def cancel(self) -> None:
        self._alarms.pop(self._number, None)


class Wire:
    """A robot's end of a connection, with a loudspeaker. Checks what reaches it."""

    def __init__(
        self, name: str, epoch: int, can_flush: bool, sent: dict[int, int] | None = None
    ) -> None:
        """``sent`` is what the device has of each turn."""
        self.profile = LinkProfile(
            20, 300 if can_flush else 120, 1_000 if can_flush else 120, can_flush
        )
        self.name, self.epoch = name, epoch
        self.fenced = 0
        self.open = True
        self.sent = sent or {}
        self.ended: set[int] = set()
        self.emotions: set[int] = set()
        self.order = 0
        self.acked: dict[int, int] = {}

    def send(self, message: robot.ToRobot) -> None:
        assert self.open, "I2: a replaced connection is sent nothing"
        if isinstance(message, robot.Numbered) and message.order:
            assert message.order > self.order, "I3: told again, or out of order"
            self.order = message.order
        number = getattr(message, "turn", 0)
        match message:
            case robot.Flush():
                self.fenced = max(self.fenced, number)
            case robot.TurnEnd():
                assert number not in self.ended, "I12: two terminal events"
                self.ended.add(number)
            case robot.Emotion() | robot.Gestures() | robot.Action() | robot.SpeechText():
                assert number == 0 or number > self.fenced, "I1: after the fence"
                assert number not in self.ended, "I12: content after the end"
                self.emotions.add(number)
            case _:
                pass

    def send_speech(self, header: robot.SpeechFrame, pcm: bytes) -> None:
        assert self.open
        assert header.epoch == self.epoch
        assert header.turn > self.fenced, "I1: speech after the fence"
        assert header.turn not in self.ended, "I12: speech after the end"
        assert header.turn in self.emotions, "the face comes first"
        lost = 0
        assert set(pcm) <= {lost, ord(self.name[1])}, "I7: another robot's voice"
        assert header.first_sample == self.sent.get(header.turn, 0)
        self.sent[header.turn] = header.first_sample + header.samples

    def drop_speech(self, upto_turn: int) -> None:
        pass

    def close(self, code: int, reason: str) -> None:
        self.open = False


class Life(RuleBasedStateMachine):
    """Everything that may happen to two robots in one hub."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000 * MS
        self.alarms: dict[int, Alarm] = {}
        self.next_alarm = 0
        self.epochs = 0
        self.boot = 1
        self.utterances = 0
        self.ended: dict[tuple[str, int], turn.TurnEnded] = {}
        self.started: set[tuple[str, int]] = set()
        self.commands: list[tuple[str, Any]] = []
        self.requests = 0
        self.fates: set[int] = set()
        self.facts: list[tuple[str, AgentKind, str, Any]] = []
        self.ticking: dict[Seat, None] = {}
        services = SeatServices(
            bus=self,  # type: ignore[arg-type]
            clock=lambda: self.now,
            wake=lambda seat: self.ticking.__setitem__(seat, None),
            remember=lambda *_: None,
            note=lambda _: None,
            settle=self.settle,
            turn_over=lambda: None,
            call_later=self.call_later,  # type: ignore[arg-type]
            counters=Counters(),
            eyes=EyeServices(Blind(), Unstarted, lambda: self.now, Counters()),  # type: ignore[arg-type]
            memories=Memories(None, Unstarted, Counters()),  # type: ignore[arg-type]
            diary=Diary(None, Unstarted, Counters()),  # type: ignore[arg-type]
        )
        self.wires: dict[str, list[Wire]] = {name: [] for name in ROBOTS}
        self.seats = {
            name: Seat(name, State(name, keeps_reminders=True), services) for name in ROBOTS
        }
        for seat in self.seats.values():
            for key, instance in AGENTS.items():
                seat.agents[key] = instance
                seat.feed(on.AgentUp(*key))

    # the hub around the seats

    def publish(self, envelope: AnyEnvelope, blob: bytes = b"") -> None:
        key = (envelope.robot, envelope.turn)
        match envelope.body:
            case turn.TurnStarted():
                assert key not in self.started, "a turn number is used once"
                self.started.add(key)
            case turn.TurnEnded() as ended:
                assert key in self.started
                assert key not in self.ended, "I12: two terminal events"
                self.ended[key] = ended
                self.check_heard(key, ended)
            case turn.ResponseMeta() | speech.SpeechPlayed():
                assert key not in self.ended, "I12: content after the end"
            case _:
                pass

    def settle(self, request: int, outcome: str) -> None:
        assert request not in self.fates, "an announcement has one fate"
        self.fates.add(request)

    def check_heard(self, key: tuple[str, int], ended: turn.TurnEnded) -> None:
        """I11: a word is a tenth of a second, and only sent words can have been heard."""
        name, number = key
        sent_ms = max((w.sent.get(number, 0) for w in self.wires[name]), default=0) // 16
        heard = ended.heard_text.split()
        assert ended.response_text.split()[: len(heard)] == heard
        assert ended.played_ms <= sent_ms
        assert len(heard) * 100 <= sent_ms + 80

    def send(self, peer: str, envelope: AnyEnvelope) -> None:
        self.commands.append((peer, envelope))

    def call_later(self, seconds: float, call: Callable[[], None]) -> Handle:
        self.next_alarm += 1
        alarm = Alarm(self.now + round(seconds * 1e9), self.next_alarm, call)
        self.alarms[alarm.number] = alarm
        return Handle(self.alarms, alarm.number)

    def fact(
        self, name: str, kind: AgentKind, message: Message, number: int = 0, role: str = "primary"
    ) -> None:
        seat = self.seats[name]
        envelope = Envelope(
            robot=name, epoch=seat.state.epoch, turn=number, src=AGENTS[(kind, role)], body=message
        )
        self.facts = [*self.facts[-20:], (name, kind, role, envelope)]
        seat.on_fact(envelope, kind, role)

    # rules

    names = st.sampled_from(ROBOTS)
    backs = st.sampled_from([0, 0, 0, 1, 2])

    @rule(name=names, aec=st.sampled_from(EchoCanceller), client=st.booleans())
    def connect(self, name: str, aec: EchoCanceller, client: bool) -> None:
        """A connection, or a takeover where there was one."""
        self.epochs += 1
        endpointing = Endpointing.CLIENT if client else Endpointing.HUB
        wire = Wire(name, self.epochs, can_flush=not client)
        hello = Hello(aec=aec, endpointing=endpointing, capabilities=Capabilities(camera=CAMERA))
        seat = self.seats[name]
        seat.make_room(resuming=False)
        seat.take_over(
            wire,
            on.Connected(
                self.epochs, f"s{self.epochs}", hello, seat.state.history, wire.profile.can_flush
            ),
        )
        self.wires[name].append(wire)

    @rule(name=names, lost=st.integers(0, 30_000), seen=st.integers(0, 5), played=st.floats(0, 1))
    def come_back(self, name: str, lost: int, seen: int, played: float) -> None:
        """The device has returned, without the last ``lost`` samples and ``seen`` messages; the hub
        may not even have noticed that it was gone."""
        seat, state = self.seats[name], self.seats[name].state
        profile = LinkProfile(20, 300, 1_000, can_flush=True)
        if not self.wires[name]:
            return
        before = self.wires[name][-1]
        has = {n: max(before.acked.get(n, 0), sent - lost) for n, sent in before.sent.items()}
        has = {n: samples for n, samples in has.items() if samples > 0}
        playing = None
        if has:
            newest, low = max(has), before.acked.get(max(has), 0)
            samples = low + int(played * (has[newest] - low))
            playing = robot.Playing(turn=newest, samples=samples, received=has[newest])
        hello = robot.Hello(
            aec=state.hello.aec, endpointing=state.hello.endpointing, resume=state.session,
            capabilities=state.hello.capabilities,
            boot=self.boot, order=max(0, before.order - seen), playing=playing,
        )  # fmt: skip
        if not seat.awaits(hello, profile):
            return
        seat.make_room(resuming=True)
        self.epochs += 1
        wire = Wire(name, self.epochs, can_flush=True, sent=has)
        wire.order, wire.acked = hello.order, dict(before.acked)
        if playing is not None:
            wire.acked[playing.turn] = playing.samples
        self.wires[name].append(wire)
        event = on.Connected(self.epochs, state.session, hello, state.history, True, resumed=True)
        seat.come_back(wire, event)

    @rule(name=names, lose=st.booleans(), ms=st.sampled_from([5, 100, 500]))
    def an_answer_is_under_way(self, name: str, lose: bool, ms: int) -> None:
        """What chance alone would seldom lead to: a turn in the middle of its speech."""
        if self.seats[name].link is None:
            self.connect(name, EchoCanceller.DEVICE, False)
        self.user_types(name, "hello")
        for what in ("meta", "delta", "delta", "done"):
            self.planner_speaks(name, 0, what, "primary")
        self.tts_speaks(name, 0, lose)
        self.time_passes(ms)
        self.loudspeaker_acknowledges(name, 0, 1.0)

    @rule(
        name=names,
        ms=st.sampled_from([5, 100, 400]),
        away_ms=st.sampled_from([0, 5, 500, 9_000]),
        lost=st.integers(0, 10_000),
        played=st.floats(0, 1),
    )
    def a_connection_breaks_in_mid_speech(
        self, name: str, ms: int, away_ms: int, lost: int, played: float
    ) -> None:
        """And what chance alone would seldom lead to either: the device is soon back."""
        self.an_answer_is_under_way(name, False, ms)
        self.time_passes(200)
        self.disconnect(name)
        if away_ms:
            self.time_passes(away_ms)
        self.come_back(name, lost, 1, played)
        self.time_passes(100)

    @rule(name=names)
    def disconnect(self, name: str) -> None:
        seat = self.seats[name]
        if seat.link is not None:
            self.wires[name][-1].open = False
            seat.detach(seat.state.epoch, 1006, "gone")

    @rule(name=names)
    def old_connection_goes(self, name: str) -> None:
        self.seats[name].detach(self.seats[name].state.epoch - 1, 1006, "gone")

    @rule(name=names, confirmed=st.booleans())
    def voice_starts(self, name: str, confirmed: bool) -> None:
        self.utterances += 1
        self.fact(
            name, AgentKind.EARS, voice.VoiceStarted(utterance=self.utterances, first_sample=0)
        )
        if confirmed:
            self.fact(
                name, AgentKind.EARS, voice.VoiceConfirmed(utterance=self.utterances, voiced_ms=250)
            )

    @rule(name=names, back=backs, confirmed=st.booleans())
    def voice_changes(self, name: str, back: int, confirmed: bool) -> None:
        number = self.utterances - back
        self.fact(
            name,
            AgentKind.EARS,
            voice.VoiceConfirmed(utterance=number, voiced_ms=250)
            if confirmed
            else voice.VoiceStopped(utterance=number, last_sample=1, voiced_ms=1),
        )

    @rule(name=names, back=backs)
    def voice_goes_on(self, name: str, back: int) -> None:
        number = self.utterances - back
        self.fact(name, AgentKind.EARS, voice.VoiceLasted(utterance=number, voiced_ms=600))

    @rule(name=names, back=backs, dropped=st.booleans())
    def utterance_ends(self, name: str, back: int, dropped: bool) -> None:
        number = self.utterances - back
        message: Message = (
            voice.UtteranceDropped(utterance=number, reason=voice.DropReason.TOO_SHORT)
            if dropped
            else voice.UtteranceEnded(
                utterance=number, first_sample=0, last_sample=2, speech_end_sample=1,
                reason=voice.EndReason.SILENCE,
            )
        )  # fmt: skip
        self.fact(name, AgentKind.EARS, message)

    @rule(
        name=names,
        back=backs,
        text=st.sampled_from(["hello robot", "", "mhm", "stop", "louder", "look at this"]),
        final=st.booleans(),
    )
    def transcript_comes(self, name: str, back: int, text: str, final: bool) -> None:
        kind = transcript.TranscriptFinal if final else transcript.TranscriptPartial
        self.fact(name, AgentKind.STT, kind(utterance=self.utterances - back, text=text))

    @rule(
        name=names,
        back=backs,
        what=st.sampled_from(["meta", "delta", "done", "failed", "tool"]),
        role=st.sampled_from(["primary", "reflex"]),
    )
    def planner_speaks(self, name: str, back: int, what: str, role: str) -> None:
        message: Message = {
            "meta": turn.ResponseMeta(emotion="happy", gestures=("nod",)),
            "delta": turn.ResponseDelta(text=WORDS + ". "),
            "done": turn.ResponseDone(actions=({"action": "skill", "name": "patrol_drift"},)),
            "failed": turn.TurnFailed(code="llm_error"),
            "tool": turn.ToolPending(call="c", name="look"),
        }[what]
        self.fact(name, AgentKind.PLANNER, message, self.number(name, back), role)

    @rule(name=names, back=backs, lose=st.booleans())
    def tts_speaks(self, name: str, back: int, lose: bool) -> None:
        """The next phrase, marks and audio and end; ``lose`` its last chunk."""
        seat, number = self.seats[name], self.number(name, back)
        live = seat.state.turn
        if live is None or live.spoken >= len(live.phrases):
            self.fact(
                name, AgentKind.TTS,
                speech.SpeechEnded(phrase=0, first_sample=0, last_sample=9, rate_hz=16_000), number,
            )  # fmt: skip
            return
        words = live.phrases[live.spoken].text.split()
        at = live.total_ms
        marks = tuple(
            speech.WordMark(w, at + 100 * i, at + 100 * i + 100) for i, w in enumerate(words)
        )
        self.fact(name, AgentKind.TTS, speech.SpeechMarks(phrase=live.spoken, words=marks), number)
        for index in range(len(words) - lose):
            chunk = audio.SpeechChunk(
                phrase=live.spoken, first_sample=(at + 100 * index) * 16, rate_hz=16_000
            )
            envelope = Envelope(robot=name, turn=number, src="tts-1", body=chunk)
            seat.on_speech(envelope, name[1].encode() * 3200)
        last = (at + 100 * len(words)) * 16
        self.fact(
            name, AgentKind.TTS,
            speech.SpeechEnded(
                phrase=live.spoken, first_sample=at * 16, last_sample=last, rate_hz=16_000
            ), number,
        )  # fmt: skip

    @rule(name=names, back=backs, share=st.floats(0, 1.5))
    def loudspeaker_acknowledges(self, name: str, back: int, share: float) -> None:
        seat, number = self.seats[name], self.number(name, back)
        if seat.link is not None:
            wire = self.wires[name][-1]
            sent, samples = (sent := wire.sent.get(number, 0)), int(sent * share)
            if samples <= sent:
                wire.acked[number] = max(samples, wire.acked.get(number, 0))
            seat.on_message(robot.Played(epoch=seat.state.epoch, turn=number, samples=samples))

    @rule(name=names, text=st.sampled_from(["", "hello", "stop", "what do you see?"]))
    def user_types(self, name: str, text: str) -> None:
        self.seats[name].on_message(robot.Text(text=text))

    @rule(name=names, back=backs, missing=st.sampled_from([None, *turn.Unseen]))
    def camera_is_looked_at(self, name: str, back: int, missing: turn.Unseen | None) -> None:
        text = "" if missing else "a red ball"
        sight = turn.Sight(text=text, missing=missing)
        self.seats[name].feed(on.Seen(self.number(name, back), sight))

    @rule(name=names, back=backs, by_itself=st.booleans(), mood=st.sampled_from(["sad", "happy"]))
    def feelings_say(self, name: str, back: int, by_itself: bool, mood: str) -> None:
        number = 0 if by_itself else self.number(name, back)
        felt = face.AffectChanged(emotion=mood, intensity=0.4, turn=number)
        self.fact(name, AgentKind.FEELINGS, felt)

    @rule(name=names, over=st.booleans(), rule=st.sampled_from(affect.Broken))
    def a_limit_is_reached(self, name: str, over: bool, rule: affect.Broken) -> None:
        stands = affect.AffectState(
            mood="happy", intensity=0.4, valence=0.1, arousal=0.1, daily_limit_reached=over
        )
        self.fact(name, AgentKind.FEELINGS, stands)
        self.fact(name, AgentKind.FEELINGS, affect.GuardrailHeld(rule=rule))

    @rule(name=names)
    def the_robot_feels_itself(self, name: str) -> None:
        self.seats[name].on_message(robot.Profile(profile={"mood": "calm"}))

    @rule(name=names)
    def user_cancels(self, name: str) -> None:
        self.seats[name].on_message(robot.Cancel())

    @rule(
        name=names,
        text=st.sampled_from([WORDS, ""]),
        priority=st.sampled_from(turn.Priority),
        interruptible=st.booleans(),
        free=st.booleans(),
        asked=st.booleans(),
    )
    def somebody_announces(
        self,
        name: str,
        text: str,
        priority: turn.Priority,
        interruptible: bool,
        free: bool,
        asked: bool,
    ) -> None:
        self.requests += 1
        wish = on.Announce(
            text, priority, interruptible=interruptible, gestures=("nod",),
            request=self.requests, when_free=free, asked=asked,
        )  # fmt: skip
        self.seats[name].feed(wish)

    @rule(name=names, quiet=st.booleans(), language=st.sampled_from(["", "de"]))
    def a_profile_changes(self, name: str, quiet: bool, language: str) -> None:
        able = frozenset({"nod"}) if quiet else None
        who = Character(quiet=quiet, language=language, able=able)
        self.seats[name].feed(on.Characterised(who))

    @rule(name=names)
    def a_timer_is_asked_for(self, name: str) -> None:
        wish = robot.Text(text="set a timer for five minutes")
        self.seats[name].feed(on.FromUser(wish))

    @rule(name=names, back=backs, text=st.sampled_from(["", "Your timer is running."]))
    def a_timer_is_set(self, name: str, back: int, text: str) -> None:
        self.seats[name].feed(on.Reminded(self.number(name, back), text))

    @rule(name=names, agent=st.sampled_from(list(AGENTS)), down=st.booleans())
    def agent_comes_or_goes(self, name: str, agent: tuple[AgentKind, str], down: bool) -> None:
        self.seats[name].feed(on.AgentDown(*agent) if down else on.AgentUp(*agent))

    @rule(index=st.integers(0, 19))
    def fact_comes_again(self, index: int) -> None:
        """A duplicate, or one that was long on the way."""
        if index < len(self.facts):
            name, kind, role, envelope = self.facts[index]
            self.seats[name].on_fact(envelope, kind, role)

    @rule(ms=st.sampled_from([5, 20, 100, 500, 3_000, 9_000]))
    def time_passes(self, ms: int) -> None:
        until = self.now + ms * MS
        while self.now < until:
            self.now += 5 * MS
            for alarm in sorted(a for a in self.alarms.values() if a.at_ns <= self.now):
                if self.alarms.pop(alarm.number, None):
                    alarm.call()
            for seat in tuple(self.ticking):
                if seat.tick(self.now) == LEAVE:
                    self.ticking.pop(seat, None)

    def number(self, name: str, back: int) -> int:
        return max(0, self.seats[name].state.last_turn - back)

    @invariant()
    def one_owner(self) -> None:
        for name, wires in self.wires.items():
            live = [w for w in wires if w.open]
            assert len(live) <= 1, "I2: two live connections"
            assert all(w is self.seats[name].link for w in live)

    @invariant()
    def a_live_turn_is_above_the_fence(self) -> None:
        for name, seat in self.seats.items():
            state = seat.state
            assert state.fence <= state.last_turn
            if state.turn:
                assert state.turn.number > state.fence
                assert (name, state.turn.number) not in self.ended
                assert state.in_session

    @invariant()
    def a_live_turn_will_end(self) -> None:
        """Something is always awaited: no turn can stay for ever."""
        for seat in self.seats.values():
            if seat.state.turn:
                assert seat.state.timers, "a live turn with no timer hangs"


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=120,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
