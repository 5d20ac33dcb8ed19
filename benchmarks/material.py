"""Sound for benchmarks of ears, made from recordings: where words meet, pauses, rooms.

The project's recordings are spoken by flite, ``../shared/audio/jfk.wav`` (where it is there) by a
person. Speed and room noise vary by a seed, so that one recording gives several takes.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from robot_sim.wav import RATE_HZ, Pcm, read_pcm

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = ROOT / "robot_sim" / "scenarios" / "demo.toml"
PERSON = ROOT.parent / "shared" / "audio" / "jfk.wav"
PER_MS = RATE_HZ // 1000
FRAME = 10 * PER_MS
_QUIET_SHARE = 0.06
"""Of the loudest 10 ms: below it, sound is the quiet between words."""
_EDGE_MS = 300
"""No word ends so close to either end of a sentence."""
_OWN_PAUSE_MS = 500
"""A recording's own pause of this length stands alone: what is said after it is another take."""


class Gap(NamedTuple):
    """Samples ``first`` to ``end`` (exclusive) between two words. What is said just before them
    begins at ``lead``: after an earlier pause of the speaker's own, or with the sentence."""

    lead: int
    first: int
    end: int


class Sentence(NamedTuple):
    """A recording, its name, and where it could pause."""

    name: str
    pcm: Pcm
    gaps: tuple[Gap, ...]

    @property
    def end(self) -> int:
        """The sample after the last one that is loud enough to be speech."""
        loud = np.flatnonzero(_loudness(self.pcm) >= _QUIET_SHARE * _loudness(self.pcm).max())
        return int(loud[-1] + 1) * FRAME


def sentences() -> list[Sentence]:
    """The demo's sentences, and a person's where that recording is there.

    Raises:
        UnreadableRecording: one of the demo's is missing.
    """
    names = [line["recording"] for line in tomllib.loads(SCENARIO.read_text())["utterance"]]
    folder = SCENARIO.parent / "recordings"
    found = [_sentence(name, read_pcm(folder / name), 40) for name in names]
    if PERSON.is_file():
        # A person's stops are as long as flite's gaps between words.
        found.append(_sentence(PERSON.name, read_pcm(PERSON), 100))
    return found


def at_speed(sentence: Sentence, speed: float) -> Sentence:
    """The sentence played faster or slower, pitch with it: another speaker, roughly."""
    pcm = sentence.pcm
    at = np.arange(0, len(pcm) - 1, speed)
    changed = np.interp(at, np.arange(len(pcm)), pcm).astype(np.int16)
    gaps = tuple(Gap(*(int(sample / speed) for sample in gap)) for gap in sentence.gaps)
    return Sentence(sentence.name, changed, gaps)


def noise(samples: int, dbfs: float, rng: np.random.Generator) -> Pcm:
    """A quiet room: white noise of this level."""
    return np.round(rng.normal(0.0, 32_768 * 10 ** (dbfs / 20), samples)).astype(np.int16)


def mixed(*sounds: Pcm) -> Pcm:
    """Sounds of equal length at once."""
    total = np.sum([sound.astype(np.int32) for sound in sounds], axis=0)
    clipped: Pcm = np.clip(total, -32_768, 32_767).astype(np.int16)
    return clipped


def _sentence(name: str, pcm: Pcm, gap_ms: int) -> Sentence:
    return Sentence(name, pcm, tuple(_gaps(pcm, gap_ms)))


def _gaps(pcm: Pcm, at_least_ms: int) -> Iterator[Gap]:
    """Every quiet stretch inside ``pcm`` that is long enough."""
    loudness = _loudness(pcm)
    quiet = np.concatenate(([0], loudness < _QUIET_SHARE * loudness.max(), [0])).astype(int)
    edges = np.flatnonzero(np.diff(quiet)).tolist()
    lead = 0
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        inside = first * 10 >= _EDGE_MS and (len(loudness) - end) * 10 >= _EDGE_MS
        if inside and (end - first) * 10 >= at_least_ms:
            yield Gap(lead, first * FRAME, end * FRAME)
        if (end - first) * 10 >= _OWN_PAUSE_MS:
            lead = end * FRAME


def _loudness(pcm: Pcm) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Root mean square of each 10 ms."""
    frames = pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    loudness: np.ndarray[tuple[int], np.dtype[np.float64]] = np.sqrt((frames**2).mean(axis=1))
    return loudness
