"""One robot's place in the hub: feeds its engine and performs what it decides.

A seat outlives connections. It holds the engine's state, the playout and the agents that serve
the robot; it decides nothing.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from hub.session import effects as do
from hub.session import events as on
from hub.session.engine import step
from hub.session.eyes import Eyes, Picture
from hub.session.link import REPLACED, LinkProfile, RobotLink
from hub.session.pacing import Playout
from hub.session.replay import Ring, is_numbered
from hub.session.seat_services import SeatServices
from hub.session.state import State
from hub.session.tap import depths_of
from hub.session.ticker import LEAVE
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.errors import UnknownPeer
from protocols.messages import audio, robot, speech
from protocols.messages.agent import AgentKind
from protocols.messages.session import Attention, AttentionChanged
from protocols.messages.vision import CameraFrame
from protocols.qos import SPEECH_AHEAD_MS, QueueDepth

TAKEN_OVER = "replaced_by_newer_session"
RESUMED = "resumed_on_newer_connection"
NO_CLOSE = 1006
"""Stands for a connection that ended without a close frame."""

_VOICE = (AgentKind.TTS, do.PRIMARY)
_AHEAD_BOUND_MS = SPEECH_AHEAD_MS + 100
"""What tts sends may seem so far beyond its credit: the playhead is an estimate."""


class Seat:
    """See the module. All methods run on the hub's loop."""

    def __init__(self, name: str, state: State, services: SeatServices) -> None:
        self.robot = name
        self.state = state
        self.link: RobotLink | None = None
        self.playout: Playout | None = None
        self.agents: dict[tuple[AgentKind, str], str] = {}
        self._hub = services
        self.eyes = Eyes(name, services.eyes)
        self._ring = Ring()
        self._timer: asyncio.TimerHandle | None = None
        self._end_told = 0
        self._sound_from = 0
        self._heard_ms = 0
        self._mic_samples = 0

    # events

    def feed(self, event: on.Event) -> None:
        """Let the engine decide on ``event``, do what it wants, and set the alarm for its timers."""
        before, had_turn = self.state, self.state.turn is not None
        if had_turn and not isinstance(event, on.SpeechHeard):
            self._estimate_heard()
        self.state, effects = step(self.state, event, self._hub.clock())
        for effect in effects:
            self._perform(effect)
        self._arm()
        if had_turn or self.state.turn or self.state.standing != before.standing:
            self._hub.note(self)
        if had_turn and not self.talking:
            self._hub.turn_over()

    @property
    def talking(self) -> bool:
        """Whether a robot that is connected is in a turn."""
        return self.state.turn is not None and self.state.connected

    @property
    def order(self) -> int:
        """The number of the control message that the robot was told last."""
        return self._ring.last

    def take_over(self, link: RobotLink, event: on.Connected) -> None:
        """Give the seat to a new connection, which begins a session."""
        self.replace_link(REPLACED, TAKEN_OVER)
        self.link = link
        self._ring = Ring()
        rate_hz = event.hello.speech_rate_hz
        self.playout = Playout(link.profile, rate_hz, fence=self.state.last_turn)
        self._mic_samples = 0
        self.feed(event)

    def come_back(self, link: RobotLink, event: on.Connected) -> None:
        """Give the seat to a connection that goes on with the session: tell what was missed."""
        now, hello = self._hub.clock(), event.hello
        assert self.playout is not None
        missed = self._ring.since(hello.order, now) if hello.boot == self._hub.bus.boot else None
        self.link = link
        self._mic_samples = 0
        if missed is None:
            self._hub.counters.count("replay_out_of_reach")
        else:
            for message in missed.messages:
                link.send(message)  # type: ignore[arg-type]
            self._hub.counters.count("control_replayed", len(missed.messages))
            for reason, number in missed.left_out.items():
                self._hub.counters.count(f"control_not_replayed.{reason}", number)
        self.feed(replace(event, replayed=missed is not None))
        self._report_heard(self.playout.turn, now)
        self._hub.wake(self)

    def awaits(self, hello: robot.Hello, profile: LinkProfile) -> bool:
        """Whether a connection that begins with ``hello`` goes on with the robot's session."""
        state = self.state
        return (
            state.in_session
            and state.resumable
            and profile.can_flush
            and hello.resume == state.session
            and hello.speech_rate_hz == state.hello.speech_rate_hz
        )

    def make_room(self, resuming: bool) -> None:
        """Another connection has the robot: fence the owner there is, if any. ``resuming``: it
        goes on with the session."""
        if not resuming:
            self.replace_link(REPLACED, TAKEN_OVER)
            if self.state.in_session:
                self.feed(on.Disconnected(TAKEN_OVER, REPLACED))
        elif self.link is not None:
            # No flush: the device behind it may be the one that has just come back.
            old, epoch = self.link, self.state.epoch
            old.drop_speech(self.state.last_turn)
            self.detach(epoch, NO_CLOSE, RESUMED)
            old.close(REPLACED, RESUMED)

    def owned_by(self, epoch: int) -> bool:
        """Whether the connection of ``epoch`` still has the robot."""
        return self.link is not None and self.state.epoch == epoch

    def replace_link(self, code: int, reason: str) -> None:
        """Fence the connection there is, if any, and close it; the seat stays."""
        if self.link is not None:
            old, self.link = self.link, None
            self.eyes.forget()
            old.drop_speech(self.state.last_turn)
            old.send(robot.Flush(epoch=self.state.epoch, turn=self.state.last_turn))
            old.close(code, reason)

    def detach(self, epoch: int, code: int, reason: str) -> bool:
        """The connection of ``epoch`` is gone; False if it had the seat no more."""
        if not self.owned_by(epoch):
            return False
        self.link = None
        self.eyes.forget()
        if self.state.resumable and self.playout is not None:
            self.playout.suspend()
        self.feed(on.Disconnected(reason, code))
        return True

    def on_fact(self, envelope: AnyEnvelope, kind: AgentKind, role: str) -> None:
        """A fact of an agent. Only the instance that serves this robot is believed, and only
        about the connection it was assigned to."""
        if self.agents.get((kind, role)) != envelope.src:
            self._hub.counters.count("foreign_fact")
        elif envelope.turn == 0 and envelope.epoch != self.state.epoch:
            self._hub.counters.count("stale_fact")
        else:
            self.feed(on.FromAgent(envelope.body, kind, role, envelope.turn, envelope.t_src_ns))

    def on_mic(self, first_sample: int, pcm: bytes, playout_sample: int = -1) -> None:
        """Pass microphone audio on to ears."""
        self._mic_samples = first_sample + len(pcm) // 2
        chunk = audio.MicChunk(first_sample=first_sample, playout_sample=playout_sample)
        self._hub.bus.publish(self._envelope(chunk), pcm)

    def on_camera(self, frame: CameraFrame, jpeg: bytes, taken_ns: int) -> None:
        """Keep a picture of the camera as the newest, and pass it on to whoever hears frames."""
        self.eyes.take(Picture(frame, jpeg, taken_ns))
        if self.state.sees:
            self._hub.bus.publish(self._envelope(frame, t_src_ns=taken_ns), jpeg)

    def on_speech(self, envelope: AnyEnvelope, pcm: bytes) -> None:
        """Audio from tts. The playout drops what is stale."""
        chunk = envelope.body
        assert isinstance(chunk, audio.SpeechChunk)
        if self.playout is None or self.agents.get(_VOICE) != envelope.src:
            self._hub.counters.count("foreign_speech")
            return
        if not self.playout.push(envelope.turn, chunk.first_sample, chunk.energy, pcm):
            self._hub.counters.count("stale_speech")
            return
        if chunk.first_sample == 0:
            self.feed(on.SpeechArrived(envelope.turn))
            # The user waits for this one: not until the loop's next step.
            self.tick(self._hub.clock())
        if self._hub.clock() >= self.playout.quiet_until_ns:
            self._hub.wake(self)

    def depths(self) -> Iterator[QueueDepth]:
        """What waits for this robot at this moment."""
        if self.playout is not None:
            ahead_ms = self.playout.ahead_ms(self._hub.clock())
            yield QueueDepth("playout_ms", self.robot, ahead_ms, _AHEAD_BOUND_MS)
        yield from depths_of(self.link)

    def attend(self, attention: Attention | None, muted: bool | None) -> AttentionChanged:
        """Choose how the robot listens; see ``hub.session.link.Sessions``."""
        self.feed(on.Attend(attention, muted))
        return self.state.hearing.fact

    def on_message(self, message: robot.FromRobot) -> None:
        """A control message of the owner connection."""
        match message:
            case robot.Played():
                self._acknowledge(message)
            case robot.Flushed():
                self._hub.counters.count("flushed")
            case robot.Pong() | robot.Hello():
                self._hub.counters.count("ignored_message")
            case _:
                self.feed(on.FromUser(message, self._mic_samples))

    def _acknowledge(self, message: robot.Played) -> None:
        playout, now = self.playout, self._hub.clock()
        if playout is None or message.epoch != self.state.epoch:
            self._hub.counters.count("stale_played")
            return
        playout.acknowledge(message.turn, message.samples, message.underruns, now)
        self._grant_credit(playout, now)
        self._report_heard(message.turn, now)
        if now >= playout.quiet_until_ns:
            self._hub.wake(self)

    # the ticker

    def tick(self, now: int) -> int:
        """Send the speech that is due; see ``hub.session.ticker.Ticking``."""
        playout, link = self.playout, self.link
        if playout is None or link is None:
            return LEAVE
        if now < playout.quiet_until_ns:
            return playout.quiet_until_ns
        turn = playout.turn
        for header, pcm in playout.due(now, self.state.epoch):
            link.send_speech(header, pcm)
            if header.first_sample == 0:
                self.feed(on.SpeechSent(turn))
        if now < playout.quiet_until_ns:
            return playout.quiet_until_ns
        if playout.all_sent and self._end_told < turn:
            self._end_told = turn
            self._tell(robot.SpeechEnd(turn=turn, samples=playout.sent_samples))
        self._grant_credit(playout, now)
        if not link.profile.can_flush:
            self._report_heard(turn, now)
        return 0 if playout.active else LEAVE

    def _grant_credit(self, playout: Playout, now: int) -> None:
        until_ms = playout.credit_ms(now)
        if until_ms is not None:
            self._order(_VOICE, speech.SpeechCredit(until_ms=until_ms), playout.turn)

    def _estimate_heard(self) -> None:
        """An event may cut the turn: tell the engine first how far the loudspeaker has got."""
        turn, playout = self.state.turn, self.playout
        if turn is None or playout is None or not turn.audible or turn.number != playout.turn:
            return
        position = playout.position_ms(self._hub.clock())
        if position > turn.played_ms:
            self.feed(on.SpeechHeard(turn.number, position, self._sound_from))

    def _report_heard(self, turn: int, now: int) -> None:
        """Tell the engine of progress: ten times a second, and at the end."""
        playout = self.playout
        if playout is None or turn != playout.turn or turn <= playout.fence:
            return
        heard = playout.heard_ms(now)
        news = heard - self._heard_ms
        if heard <= 0 or not (news >= 100 or (news > 0 and playout.all_heard(now))):
            return
        if self._heard_ms == 0:
            self._sound_from = now - heard * 1_000_000
        self._heard_ms = heard
        self.feed(on.SpeechHeard(turn, heard, self._sound_from))

    # effects

    def _perform(self, effect: do.Effect) -> None:
        match effect:
            case do.Tell(message):
                self._tell(message)
            case do.Report(message, turn):
                self._hub.bus.publish(self._envelope(message, turn))
            case do.Order(kind, message, turn, role):
                self._order((kind, role), message, turn)
            case do.Remember(exchange):
                self._hub.remember(self.robot, self.state.session, exchange)
            case do.Settle(request, outcome):
                self._hub.settle(request, outcome)
            case do.Stale(what):
                self._hub.counters.count(f"stale_{what}")
            case do.KeptBack(direction, category):
                self._hub.counters.count(f"guarded_{direction}.{category}")
            case do.Look() | do.LookAway() | do.Recall() | do.Note() | do.Remind() | do.TakeBack():
                self._ask(effect)
            case _:
                assert self.playout is not None
                self._pace(self.playout, effect, self._hub.clock())
                self._hub.wake(self)

    def _ask(self, effect: do.Question) -> None:
        """Let somebody work beside the conversation; the answer is an event."""
        match effect:
            case do.Look() | do.LookAway():
                self.eyes.obey(effect, self.feed)
            case do.Recall() | do.Note():
                self._hub.memories.obey(self.robot, effect, self.feed)
            case do.Remind() | do.TakeBack():
                self._hub.diary.obey(self.robot, effect, self.feed)

    def _tell(self, message: robot.ToRobot) -> None:
        if self.state.resumable and is_numbered(message):
            message = self._ring.add(message, self._hub.clock())  # type: ignore[arg-type, assignment]
        if self.link is not None:
            self.link.send(message)

    def _pace(self, playout: Playout, effect: do.Effect, now: int) -> None:
        match effect:
            case do.Fence(turn):
                playout.flush(turn)
                if self.link is not None:
                    self.link.drop_speech(turn)
            case do.Expect(turn):
                self._heard_ms = 0
                playout.begin(turn)
                self._grant_credit(playout, now)
            case do.Play(turn):
                playout.open(turn)
            case do.SpeechComplete(turn, samples):
                playout.finish(turn, samples, now)
            case do.Hold():
                playout.hold(now)
            case do.Release():
                playout.release(now)
            case do.Resume():
                playout.resume(self.state.hello.playing, now)

    def _order(self, agent: tuple[AgentKind, str], message: Message, turn: int) -> None:
        instance = self.agents.get(agent)
        if instance is None:
            return
        try:
            self._hub.bus.send(instance, self._envelope(message, turn))
        except UnknownPeer:
            # Its loss is on its way as AgentDown, which ends or moves what it was doing.
            self._hub.counters.count("order_to_lost_agent")

    def _envelope(self, message: Message, turn: int = 0, t_src_ns: int = 0) -> AnyEnvelope:
        return Envelope(
            robot=self.robot,
            session=self.state.session,
            epoch=self.state.epoch,
            turn=turn,
            t_src_ns=t_src_ns or self._hub.clock(),
            body=message,
        )

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.state.due_ns
        if due is not None:
            wait_s = max(0, due - self._hub.clock()) / 1e9
            self._timer = self._hub.call_later(wait_s, self._tick_engine)

    def _tick_engine(self) -> None:
        self.feed(on.Tick())
