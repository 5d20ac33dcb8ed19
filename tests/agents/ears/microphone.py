"""Sound for ears, and what comes out of them."""

import wave
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agents.ears.agent import Ears
from protocols.envelope import Envelope, Message
from protocols.messages.audio import MicChunk, UtteranceChunk
from protocols.messages.session import SessionAssign

RATE_HZ = 16_000

Samples = npt.NDArray[np.int16]


class Emitted(NamedTuple):
    """What ears emitted, and the sample up to which they had heard by then."""

    message: Message
    blob: bytes
    t_src_ns: int
    heard: int


class Microphone:
    """One robot's microphone at ``ears``; collects what is emitted for its session."""

    def __init__(
        self, ears: Ears, order: SessionAssign | None = None, robot: str = "robot1", t0_ns: int = 0
    ) -> None:
        self._ears, self._robot, self._t0_ns = ears, robot, t0_ns
        self.at = 0
        self.emitted: list[Emitted] = []
        ears.open(Envelope(robot=robot, body=order or SessionAssign()), self._emit)

    def order(self, order: Message) -> None:
        """Send a command."""
        self._ears.handle(Envelope(robot=self._robot, body=order), b"")

    def put(self, pcm: bytes, *, lose: bool = False) -> None:
        """Deliver a chunk, or capture it and ``lose`` it on the way; nothing is judged yet."""
        first, self.at = self.at, self.at + len(pcm) // 2
        if not lose:
            t_src_ns = self._t0_ns and self._t0_ns + first * 62_500
            body = MicChunk(first_sample=first)
            self._ears.handle(Envelope(robot=self._robot, t_src_ns=t_src_ns, body=body), pcm)

    def hear(self, samples: Samples, chunk_sizes: Iterable[int] = (320,)) -> None:
        """Deliver ``samples`` in chunks of these sizes, over and over, each judged at once."""
        at, sizes = 0, _repeated(chunk_sizes)
        while at < len(samples):
            size = next(sizes)
            self.put(samples[at : at + size].tobytes())
            self._ears.drained()
            at += size

    @property
    def messages(self) -> list[Message]:
        """What was emitted but the sound itself."""
        return [e.message for e in self.emitted if not isinstance(e.message, UtteranceChunk)]

    def sound(self, utterance: int) -> bytes:
        """The sound that was sent for ``utterance``."""
        return b"".join(
            e.blob
            for e in self.emitted
            if isinstance(e.message, UtteranceChunk) and e.message.utterance == utterance
        )

    def _emit(self, message: Message, blob: bytes = b"", *, t_src_ns: int = 0) -> bool:
        self.emitted.append(Emitted(message, blob, t_src_ns, self.at))
        return True


def _repeated(sizes: Iterable[int]) -> Iterator[int]:
    sizes = tuple(sizes)
    while True:
        yield from sizes


def silence(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * RATE_HZ), np.int16)


def noise(seconds: float, rms: float = 30.0) -> Samples:
    """White noise, the same every time."""
    sound = np.random.default_rng(0).normal(0, rms, round(seconds * RATE_HZ))
    return sound.clip(-32_768, 32_767).astype(np.int16)


def mixed(*parts: Samples, rms: float = 30.0) -> Samples:
    """The parts one after the other under white noise."""
    sound = np.concatenate(parts)
    background = np.random.default_rng(0).normal(0, rms, len(sound))
    return (sound + background).clip(-32_768, 32_767).astype(np.int16)


def recording(path: Path) -> Samples:
    """A 16 kHz mono WAV file."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE_HZ, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)
