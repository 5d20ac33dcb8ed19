"""Opus for the native wire, by libopus inside PyAV. One packet is one frame of at most 120 ms.

Coding runs in threads, a connection's work in order: ``OrderedWork``.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Generic, TypeVar

from protocols.errors import BadAudio
from protocols.messages.audio import MIC_RATE_HZ

RATES_HZ = frozenset({8_000, 12_000, 16_000, 24_000, 48_000})
"""Rates that Opus codes; decoding always gives 48 kHz."""
FRAME_MS = 20
_BIT_RATE = 32_000
_MAX_PACKET_BYTES = 4_000

T = TypeVar("T")


class OpusDecoder:
    """Packets of a microphone → mono s16le 16 kHz. Stateful; one per connection."""

    def __init__(self) -> None:
        import av

        self._av: Any = av
        self._decoder: Any = av.CodecContext.create("libopus", "r")
        self._resampler = self._new_resampler()

    def _new_resampler(self) -> Any:
        return self._av.AudioResampler(format="s16", layout="mono", rate=MIC_RATE_HZ)

    def decode(self, packet: bytes) -> bytes:
        """PCM of one packet; a millisecond of the first packet stays in the resampler.

        Raises:
            BadAudio: it is no Opus packet.
        """
        if not 0 < len(packet) <= _MAX_PACKET_BYTES:
            raise BadAudio(f"an Opus packet has 1 to {_MAX_PACKET_BYTES} bytes, not {len(packet)}")
        try:
            frames = self._decoder.decode(self._av.Packet(packet))
        except (self._av.FFmpegError, ValueError) as error:
            raise BadAudio(f"no Opus packet: {error}") from error
        pcm = b""
        for frame in frames:
            frame.pts = None
            for resampled in self._resampler.resample(frame):
                pcm += bytes(resampled.planes[0])[: 2 * resampled.samples]
        return pcm


class OpusEncoder:
    """Mono s16le of one rate → packets of 20 ms. One per response, so that none begins with the
    end of the last."""

    def __init__(self, rate_hz: int) -> None:
        import av

        self._av: Any = av
        self._rate_hz = rate_hz
        self._samples = rate_hz * FRAME_MS // 1000
        encoder: Any = av.CodecContext.create("libopus", "w")
        encoder.sample_rate = rate_hz
        encoder.layout = "mono"
        encoder.format = "s16"
        encoder.bit_rate = _BIT_RATE
        encoder.options = {"application": "voip", "frame_duration": str(FRAME_MS)}
        encoder.open()
        self._encoder = encoder

    def encode(self, pcm: bytes) -> bytes:
        """One packet; a frame shorter than 20 ms is filled with silence.

        Raises:
            BadAudio: the frame is longer than 20 ms.
        """
        if len(pcm) > 2 * self._samples:
            raise BadAudio(f"an Opus frame has {self._samples} samples, not {len(pcm) // 2}")
        frame = self._av.AudioFrame(format="s16", layout="mono", samples=self._samples)
        (plane,) = frame.planes
        plane.update(pcm.ljust(plane.buffer_size, b"\0"))
        frame.sample_rate = self._rate_hz
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))


class OrderedWork(Generic[T]):
    """Runs work in threads, one piece after the other, and hands the results on in that order.

    Everything that piled up meanwhile goes in one hop. ``bound`` is how much may pile up.
    """

    def __init__(self, threads: Executor, deliver: Callable[[T], None], bound: int) -> None:
        self._threads = threads
        self._deliver = deliver
        self._bound = bound
        self._waiting: deque[Callable[[], T]] = deque()
        self._running = False
        self._closed = False

    def submit(self, work: Callable[[], T]) -> bool:
        """Queue ``work``; False, and it will not run, if too much is waiting."""
        if self._closed or len(self._waiting) >= self._bound:
            return False
        self._waiting.append(work)
        if not self._running:
            self._start()
        return True

    def close(self) -> None:
        """Deliver nothing any more."""
        self._closed = True
        self._waiting.clear()

    def _start(self) -> None:
        batch = tuple(self._waiting)
        self._waiting.clear()
        self._running = True
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._threads, lambda: [work() for work in batch])
        done.add_done_callback(self._finished)

    def _finished(self, done: asyncio.Future[list[T]]) -> None:
        self._running = False
        if self._closed or done.cancelled():
            return
        for result in done.result():
            self._deliver(result)
        if self._waiting and not self._running:
            self._start()
