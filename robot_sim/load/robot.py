"""A light robot: no sound, no face, and no more work for a frame than the wire demands.

It plays by counting, obeys as ``protocols/README.md`` says a robot must, and checks of everything
that arrives whether it may. No socket, clock or task is in here: ``send`` is given, every call is
told the time.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from protocols.codecs.robot import decode_media, decode_to_robot, encode_media, encode_text
from protocols.identity import Stamp
from protocols.messages.robot import (
    Cancel,
    Error,
    Flush,
    FromRobot,
    Hello,
    Hold,
    MicFrame,
    Numbered,
    Ping,
    Playing,
    Pong,
    Release,
    SpeechEnd,
    SpeechFrame,
    ToRobot,
    TurnBegin,
    TurnEnd,
    Welcome,
)
from protocols.messages.session import EchoCanceller
from robot_sim.load.loudspeaker import Arrival, CountingLoudspeaker
from robot_sim.load.tally import Tally
from robot_sim.load.user import CHUNK_MS, CHUNK_SAMPLES, SILENCE, Saying, User

SPEECH_RATE_HZ = 16_000
MAX_LEAD_MS = 850.0
LEAD_GROWTH = 1.5
"""By so much an underrun may widen the lead (``protocols/README.md``)."""
AHEAD_SLACK_MS = 100.0
"""A frame may be so much further ahead than the lead on a clean wire: hub and robot begin to count
the loudspeaker a wire's delay apart. A wire that stalls needs more: the hub goes on for half a
second without an acknowledgement."""
SETTLE_NS = 300_000_000
"""Ears serve a robot a moment after its ``welcome``: what is said before is said to nobody."""
_TURNS_KEPT = 32
RESTARTED = "hub_restarted"
"""Code of a turn that the end of the hub cut short."""


class FirstSpeech(NamedTuple):
    """The first frame of speech of a connection, and how much of its turn was here before."""

    header: SpeechFrame
    received: int
    at_ns: int


class LightRobot:
    """One robot over any number of connections."""

    def __init__(
        self, name: str, user: User, tally: Tally, ahead_slack_ms: float = AHEAD_SLACK_MS
    ) -> None:
        self.name = name
        self.user = user
        self.hello = Hello(client="load", speech_rate_hz=SPEECH_RATE_HZ, aec=EchoCanceller.DEVICE)
        self.loudspeaker = CountingLoudspeaker(SPEECH_RATE_HZ)
        self.linked = False
        self.welcomed_ns = 0
        self.answered_ns = 0
        """When the first sound of the latest answer came."""
        self.first_speech: FirstSpeech | None = None
        self._tally = tally
        self._send: Callable[[str | bytes], None] = lambda frame: None
        self._epoch = 0
        self._order = self._order_at_welcome = 0
        self._lead_ms = 0.0
        self._ahead_slack_ms = ahead_slack_ms
        self._ticked_ns = self._lag_ns = 0
        self._captured = 0
        self._questions: dict[int, str] = {}
        self._steady = False
        self._stopped_ns = self._barged_ns = self._pressed_ns = 0

    # the connection

    def connected(self, send: Callable[[str | bytes], None], now_ns: int) -> None:
        """A socket is open: say hello on it."""
        self._send = send
        self._captured = 0
        hello = msgspec.structs.replace(
            self.hello, order=self._order, playing=self._playing(now_ns)
        )
        send(encode_text(hello))

    def _playing(self, now_ns: int) -> Playing | None:
        loudspeaker = self.loudspeaker
        if loudspeaker.turn <= loudspeaker.fence.turn:
            return None
        samples = loudspeaker.position(now_ns)
        return Playing(turn=loudspeaker.turn, samples=samples, received=loudspeaker.received)

    def disconnected(self, now_ns: int) -> None:
        """The socket is gone; what is buffered plays on."""
        self.linked = self._steady = False
        self._stopped_ns = self._barged_ns = self._pressed_ns = 0
        self.user.disconnected(now_ns)

    def tick(self, now_ns: int) -> None:
        """Live through 20 ms."""
        self._lag_ns = self._lag(now_ns)
        self._ticked_ns = now_ns
        if not self.linked:
            return
        played = self.loudspeaker.report(self._epoch, now_ns)
        if played is not None:
            self._tell(played)
        chunk, saying = SILENCE, None
        if now_ns - self.welcomed_ns >= SETTLE_NS:
            chunk, saying = self.user.next_chunk(now_ns)
        self._send(encode_media(MicFrame(first_sample=self._captured), chunk))
        self._captured += CHUNK_SAMPLES
        if saying is not None:
            self._said(saying, now_ns)

    def _lag(self, now_ns: int) -> int:
        """How far this robot's own process has been behind time during this turn, at worst."""
        if not self._ticked_ns:
            return 0
        return max(self._lag_ns, now_ns - self._ticked_ns - CHUNK_MS * 1_000_000)

    def _said(self, saying: Saying, now_ns: int) -> None:
        match saying:
            case Saying.BEGAN:
                self._tally.counts["asked"] += 1
            case Saying.BARGED:
                self._tally.counts["asked"] += 1
                if self.loudspeaker.playing(now_ns):
                    self._tally.counts["barges"] += 1
                    self._barged_ns = now_ns
            case Saying.ENDED:
                self._stopped_ns = now_ns
            case Saying.GAVE_UP:
                self._tally.counts["gave_up"] += 1
            case Saying.PRESSED_STOP:
                self._tally.counts["cancels"] += 1
                self._pressed_ns = now_ns
                self._tell(Cancel())

    # what comes

    def on_text(self, text: str | bytes, now_ns: int) -> None:
        """A control message."""
        message = decode_to_robot(text)
        if isinstance(message, Numbered) and not self._is_next(message.order):
            return
        match message:
            case Ping(t0_ns=t0_ns):
                self._tell(Pong(t0_ns=t0_ns, t1_ns=now_ns, t2_ns=now_ns))
            case Welcome():
                self._welcomed(message, now_ns)
            case TurnBegin():
                self._turn_begins(message)
            case TurnEnd():
                self._turn_ends(message, now_ns)
            case Error():
                self._tally.counts[f"error.{message.code}"] += 1
            case _:
                self._obey(message, now_ns)

    def _obey(self, message: ToRobot, now_ns: int) -> None:
        match message:
            case SpeechEnd(turn=turn, samples=samples):
                self.loudspeaker.finish(turn, samples)
            case Hold(turn=turn):
                self._silent(now_ns)
                self.loudspeaker.hold(turn, now_ns)
                self._tell(self.loudspeaker.reannounce(self._epoch, now_ns))
            case Release(turn=turn):
                self.loudspeaker.release(turn, now_ns)
            case Flush(epoch=epoch, turn=turn):
                self._silent(now_ns)
                self._tell(self.loudspeaker.flush(Stamp(epoch, turn), now_ns))

    def _silent(self, now_ns: int) -> None:
        """The loudspeaker falls silent, by a hold or a flush."""
        if self._barged_ns:
            self._tally.took("barge_in_to_silence", now_ns - self._barged_ns)
        if self._pressed_ns:
            self._tally.took("cancel_to_silence", now_ns - self._pressed_ns)
        self._barged_ns = self._pressed_ns = 0

    def _welcomed(self, welcome: Welcome, now_ns: int) -> None:
        self._epoch, self._lead_ms = welcome.epoch, welcome.lead_ms
        self.linked, self.welcomed_ns, self.first_speech = True, now_ns, None
        self._tally.counts["resumed" if welcome.resumed else "welcomed"] += 1
        if not welcome.resumed or welcome.boot != self.hello.boot:
            self._order = welcome.order  # another run of the hub counts anew
        self.hello = msgspec.structs.replace(self.hello, resume=welcome.resume, boot=welcome.boot)
        self._order_at_welcome = welcome.order
        if not welcome.resumed:
            self.loudspeaker.drop(now_ns)
        if self.loudspeaker.playing(now_ns):
            self._tell(self.loudspeaker.reannounce(self._epoch, now_ns))

    def _is_next(self, order: int) -> bool:
        """Whether a control message is new. What came before the welcome may have been left out,
        nothing after it may."""
        if order == 0:
            return True
        if order <= self._order:
            self._tally.counts["control_repeated"] += 1
            return False
        if order > max(self._order, self._order_at_welcome) + 1:
            detail = f"control message {order} follows {self._order}"
            self._tally.breach("order", self.name, detail)
        self._order = order
        return True

    def _turn_begins(self, begin: TurnBegin) -> None:
        self._questions[begin.turn] = begin.user_text
        while len(self._questions) > _TURNS_KEPT:
            del self._questions[next(iter(self._questions))]
        if begin.user_text and self.name not in begin.user_text.split():
            self._tally.breach("foreign", self.name, f"turn {begin.turn} is another robot's")

    def _turn_ends(self, end: TurnEnd, now_ns: int) -> None:
        self._tally.outcomes[f"{end.outcome}:{end.code}" if end.code else end.outcome] += 1
        for segment in end.segments:
            self._tally.times_ms[f"segment.{segment.name}"].append(segment.ms)
        # Who stands in for the planner answers in words of its own. A hub that was restarted does not
        # know who answered, and says the rest in a turn without a question.
        in_words_of_its_own = end.responder == "reflex" or end.fallback or end.code == RESTARTED
        echoes = self._questions.get(end.turn) and not in_words_of_its_own
        if echoes and end.response_text and self.name not in end.response_text.split():
            detail = f"turn {end.turn} ({end.outcome} {end.code}) says {end.response_text!r}"
            self._tally.breach("foreign", self.name, detail)
        if self._is_answer(end.turn):
            self.user.answer_over(now_ns)

    def _is_answer(self, turn: int) -> bool:
        """Whether ``turn`` answers the latest question."""
        return self._questions.get(turn, "") == self.user.question

    # speech

    def on_media(self, frame: bytes, now_ns: int) -> None:
        """A frame of speech."""
        header, _ = decode_media(frame)
        assert isinstance(header, SpeechFrame)
        counts, loudspeaker = self._tally.counts, self.loudspeaker
        counts["frames"] += 1
        if header.epoch != self._epoch:
            detail = f"speech of epoch {header.epoch} on the connection of epoch {self._epoch}"
            self._tally.breach("foreign", self.name, detail)
        first = header.turn > loudspeaker.turn
        underruns = 0 if first else loudspeaker.underruns
        if self.first_speech is None:
            received = 0 if first else loudspeaker.received
            self.first_speech = FirstSpeech(header, received, now_ns)
        arrival = loudspeaker.feed(header, now_ns)
        if arrival is not Arrival.PLAYED:
            self._not_played(arrival, header)
            return
        if loudspeaker.underruns > underruns:
            counts["underruns"] += 1
            self._lead_ms = min(MAX_LEAD_MS, self._lead_ms * LEAD_GROWTH)
        if first:
            self._steady = True
            self._lag_ns = 0
            self._answer_begins(header, now_ns)
        elif not loudspeaker.held:
            self._time(header, now_ns)

    def _not_played(self, arrival: Arrival, header: SpeechFrame) -> None:
        where = f"turn {header.turn} from sample {header.first_sample}"
        if arrival is Arrival.FENCED:
            detail = f"{where} after the flush of turn {self.loudspeaker.fence.turn}"
            self._tally.breach("fenced", self.name, detail)
        elif self._steady:  # on one connection nothing is repeated, missing or late
            self._tally.breach("order", self.name, f"{where} is {arrival}")
        self._tally.counts[f"frames.{arrival}"] += 1

    def _answer_begins(self, header: SpeechFrame, now_ns: int) -> None:
        if not self._is_answer(header.turn):
            return
        self._tally.counts["answered"] += self.user.waits
        self.answered_ns = now_ns
        if self._stopped_ns:
            self._tally.took("end_of_speech_to_first_audio", now_ns - self._stopped_ns)
            self._stopped_ns = 0
        self.user.answer_began(now_ns)

    def _time(self, header: SpeechFrame, now_ns: int) -> None:
        """How much later a frame came than the lead demands; those that fill the lead are early."""
        ahead = header.first_sample + header.samples - self.loudspeaker.position(now_ns)
        early_ms = ahead * 1000 / SPEECH_RATE_HZ - self._lead_ms
        if early_ms > self._ahead_slack_ms + self._lag(now_ns) / 1e6:
            detail = f"{early_ms:.0f} ms further ahead than the lead of {self._lead_ms:.0f} ms"
            self._tally.breach("ahead", self.name, detail)
        lead = int(self._lead_ms * SPEECH_RATE_HZ) // 1000
        if header.first_sample + header.samples > lead:
            self._tally.times_ms["pacing_lateness"].append(max(0.0, -early_ms))

    def _tell(self, message: FromRobot) -> None:
        self._send(encode_text(message))
