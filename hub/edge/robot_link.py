"""The native wire towards a robot: JSON for control, binary frames for speech."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

import msgspec

from hub.counters import Counters
from hub.edge.opus import FRAME_MS, OpusEncoder, OrderedWork
from hub.edge.wire import Wire, WireLink
from hub.session.link import LinkProfile
from protocols.codecs.robot import encode_media, encode_text
from protocols.messages.robot import Codec, Hello, SpeechFrame, ToRobot

NATIVE = LinkProfile(frame_ms=FRAME_MS, lead_ms=300, max_lead_ms=1000, can_flush=True)

_ENCODE_AHEAD = 250


class _Encoded(NamedTuple):
    header: SpeechFrame
    frame: bytes


class NativeLink:
    """A ``RobotLink`` over ``/robot``. Control overtakes speech that the socket did not take."""

    profile = NATIVE

    def __init__(
        self, wire: Wire, counters: Counters, robot: str, hello: Hello, threads: Executor
    ) -> None:
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
    def on_flow(self) -> Callable[[bool], None]:
        return self._wire.on_flow

    def send(self, message: ToRobot) -> None:
        self._wire.write_control(encode_text(message))

    def send_speech(self, header: SpeechFrame, pcm: bytes) -> None:
        if self._opus is None:
            self._wire.write_speech(header.turn, encode_media(header, pcm))
        elif not self._opus.submit(lambda: self._encode(header, pcm)):
            self._counters.count("speech_frames.encoder_overrun")

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
