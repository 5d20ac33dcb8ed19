"""Speech faster or slower than an engine speaks it, at the same pitch: by FFmpeg's ``atempo``
(waveform-similarity overlap-add) inside PyAV."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, NamedTuple

from agents.tts.parts import Marks, Sound
from protocols.messages.speech import VisemeMark, WordMark

MIN_SPEED, MAX_SPEED = 0.25, 4.0
"""What may be asked for; the range of the OpenAI API."""
LEAST_STEP, MOST_STEP = 0.5, 2.0
"""What one filter does by blending; beyond it, it would leave sound out."""
UNHEARD = 0.01
"""A difference of tempo that nobody hears."""

Part = Sound | Marks


class Share(NamedTuple):
    """A rate that an engine is to speak at, and by which factor the rest is left to be stretched."""

    rate: float
    stretch: float


def shared(rate: float, speed: float, least: float, most: float) -> Share:
    """How an engine that speaks at rates from ``least`` to ``most`` speaks ``speed`` times as fast
    as at ``rate``, which is brought into its range first."""
    usual = min(most, max(least, rate))
    own = min(most, max(least, usual * speed))
    return Share(own, usual * speed / own)


async def at_tempo(
    parts: AsyncGenerator[Part, None], factor: float, rate_hz: int
) -> AsyncGenerator[Part, None]:
    """``parts`` (see ``Voice.speak``), ``factor`` times as fast, from a voice whose own rate is
    ``rate_hz``. Closing it closes ``parts``."""
    async with aclosing(parts):
        if abs(factor - 1.0) < UNHEARD:
            async for part in parts:
                yield part
            return
        tempo: Tempo | None = None
        async for part in parts:
            if isinstance(part, Marks):
                yield _faster(part, factor)
                continue
            own_hz = part.rate_hz or rate_hz
            if tempo is not None and tempo.rate_hz != own_hz:
                yield Sound(tempo.finish(), tempo.rate_hz)
                tempo = None
            tempo = tempo or Tempo(factor, own_hz)
            if pcm := tempo.feed(part.pcm):
                yield Sound(pcm, own_hz)
        if tempo is not None and (pcm := tempo.finish()):
            yield Sound(pcm, tempo.rate_hz)


class Tempo:
    """One phrase, streamed; mono s16le in and out. The filter holds a tenth of a second back."""

    def __init__(self, factor: float, rate_hz: int) -> None:
        import av
        from av.filter import Graph

        self.rate_hz = rate_hz
        self._av: Any = av
        self._graph: Any = Graph()
        source = self._graph.add_abuffer(format="s16", sample_rate=rate_hz, layout="mono")
        nodes = [self._graph.add("atempo", f"{step:.6f}") for step in steps_of(factor)]
        chain = [source, *nodes, self._graph.add("abuffersink")]
        self._graph.link_nodes(*chain).configure()
        self._samples = 0

    def feed(self, pcm: bytes) -> bytes:
        """What can be given out after ``pcm``."""
        if not pcm:
            return b""
        frame = self._av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.planes[0].update(pcm.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate = self.rate_hz
        frame.pts = self._samples
        self._samples += frame.samples
        self._graph.push(frame)
        return self._pulled()

    def finish(self) -> bytes:
        """What was held back."""
        if not self._samples:
            return b""
        self._graph.push(None)
        return self._pulled()

    def _pulled(self) -> bytes:
        pcm = bytearray()
        while True:
            try:
                frame = self._graph.pull()
            except (self._av.BlockingIOError, self._av.EOFError):
                return bytes(pcm)
            pcm += memoryview(frame.planes[0])[: 2 * frame.samples]


def steps_of(factor: float) -> list[float]:
    """Factors within what one filter does, whose product is ``factor``."""
    steps = []
    while not LEAST_STEP <= factor <= MOST_STEP:
        steps.append(MOST_STEP if factor > 1 else LEAST_STEP)
        factor /= steps[-1]
    return [*steps, factor]


def _faster(marks: Marks, factor: float) -> Marks:
    return Marks(
        tuple(
            WordMark(w.text, round(w.start_ms / factor), round(w.end_ms / factor))
            for w in marks.words
        ),
        tuple(VisemeMark(v.phoneme, round(v.at_ms / factor)) for v in marks.visemes),
    )
