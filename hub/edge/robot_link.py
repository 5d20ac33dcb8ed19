"""The native wire towards a robot: JSON for control, binary frames for speech."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

import msgspec

from hub.counters import Counters
from hub.edge.clock import ClockFilter
from hub.edge.opus import FRAME_MS, OpusEncoder, OrderedWork
from hub.edge.wire import Wire, WireLink
from hub.session.link import LinkProfile
from protocols.codecs.robot import encode_media, encode_text
from protocols.messages.robot import Action, Codec, Hello, SpeechFrame, ToRobot
from protocols.qos import QueueDepth

NATIVE = LinkProfile(frame_ms=FRAME_MS, lead_ms=300, max_lead_ms=1000, can_flush=True)

_ENCODE_AHEAD = 250
_MS = 1_000_000


class _Encoded(NamedTuple):
    header: SpeechFrame
    frame: bytes


class NativeLink:
    """A ``RobotLink`` over ``/robot``. Control overtakes speech that the socket did not take.

    ``clock`` is what is known of the robot's clock; ``now_ns`` is the hub's.
    """

    profile = NATIVE

    def __init__(
        self,
        wire: Wire,
        counters: Counters,
        robot: str,
        hello: Hello,
        threads: Executor,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.clock = ClockFilter()
        self._now_ns = now_ns
        self._wire = WireLink(wire, counters, robot, in_order=False)
        self._counters = counters
        self._rate_hz = hello.speech_rate_hz
        self._opus: OrderedWork[_Encoded] | None = None
        if hello.codec is Codec.OPUS:
            self._opus = OrderedWork(threads, self._write_encoded, _ENCODE_AHEAD)
        self._encoder: OpusEncoder | None = None
        self._encoder_turn = 0
        self._fenced_turn = 0

    @property
    def closed(self) -> bool:
        return self._wire.closed

    @property
    def flowing(self) -> bool:
        """Whether what is sent now leaves now."""
        return self._wire.flowing

    @property
    def on_flow(self) -> Callable[[bool], None]:
        return self._wire.on_flow

    def send(self, message: ToRobot) -> None:
        if isinstance(message, Action):
            self._send_action(message)
        else:
            self._wire.write_control(encode_text(message))

    def _send_action(self, action: Action) -> None:
        """Its ttl runs while it waits for the socket; what is left of it goes on the wire."""
        now_ns = self._now_ns()
        deadline_ns = now_ns + action.ttl_ms * _MS
        frame = self._action_frame(action, deadline_ns, now_ns)
        if frame is not None:
            self._wire.write_control(
                frame, lambda: self._action_frame(action, deadline_ns, self._now_ns())
            )

    def _action_frame(self, action: Action, deadline_ns: int, now_ns: int) -> str | None:
        if now_ns >= deadline_ns:
            self._counters.count("actions.expired")
            return None
        reading, expires_ns = self.clock.reading, 0
        if reading is not None:
            expires_ns = reading.robot_time(deadline_ns) - reading.error_at(now_ns)
        ttl_ms = (deadline_ns - now_ns) // _MS
        return encode_text(
            msgspec.structs.replace(action, ttl_ms=ttl_ms, expires_ns=max(0, expires_ns))
        )

    def send_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        if self._opus is None:
            self._wire.write_speech(header.turn, encode_media(header, pcm))
        elif not self._opus.submit(lambda: self._encode(header, pcm)):
            self._counters.count("speech_frames.encoder_overrun")

    def depths(self) -> tuple[QueueDepth, ...]:
        """See ``hub.session.tap.Deep``."""
        return self._wire.depths()

    def drop_speech(self, upto_turn: int) -> None:
        self._fenced_turn = max(self._fenced_turn, upto_turn)
        self._wire.drop_speech(upto_turn)

    def close(self, code: int, reason: str) -> None:
        self._wire.close(code, reason)
        self._stop()

    def gone(self) -> None:
        """The connection has ended by itself."""
        self._wire.gone()
        self._stop()

    def _stop(self) -> None:
        if self._opus is not None:
            self._opus.close()

    def _encode(self, header: SpeechFrame, pcm: bytes) -> _Encoded:
        """In a thread, one call at a time."""
        if self._encoder is None or self._encoder_turn != header.turn:
            self._encoder = OpusEncoder(self._rate_hz)
            self._encoder_turn = header.turn
        packet = self._encoder.encode(pcm)
        return _Encoded(
            header, encode_media(msgspec.structs.replace(header, codec=Codec.OPUS), packet)
        )

    def _write_encoded(self, encoded: _Encoded) -> None:
        if encoded.header.turn <= self._fenced_turn:
            self._counters.count("speech_frames.fenced")
        else:
            self._wire.write_speech(encoded.header.turn, encoded.frame)
