"""What a microphone hears while a robot speaks: people who interrupt, and everything else."""

import asyncio
import tomllib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from agents.tts.backends.base import Sound
from agents.tts.backends.espeak import EspeakVoice
from agents.tts.prosody import NEUTRAL
from benchmarks.material import FRAME, PER_MS, SCENARIO, mixed, noise
from robot_sim.wav import RATE_HZ, Pcm, read_pcm

ROOM_DBFS = -58.0
BABBLE_DBFS = -42.0
"""Peak of people who talk elsewhere in the room."""
VOICES = ("en-us", "en-gb")
SAID = ("stop that please", "wait a moment", "no that is not what i asked", "hold on")
BACKCHANNELS = ("yeah", "okay", "right", "i see", "uh huh")
_PEAK = 16_000
_ONSET_SHARE = 0.06


class Clip(NamedTuple):
    """A sound, and the sample at which its speech (or noise) begins."""

    name: str
    pcm: Pcm
    onset: int


class Event(NamedTuple):
    """A clip in a track: its onset and end in samples."""

    name: str
    interrupts: bool
    onset: int
    end: int


class Track(NamedTuple):
    """All that a microphone hears."""

    pcm: Pcm
    events: tuple[Event, ...]


def interruptions() -> list[Clip]:
    """People who want the robot to stop: the demo's recordings, and phrases by espeak."""
    return [_clip(name, pcm) for name, pcm in _recordings().items()] + spoken(SAID)


def others(rng: np.random.Generator) -> list[Clip]:
    """What must not stop the robot: backchannels, coughs, knocks, babble, a louder room."""
    made = spoken(BACKCHANNELS)
    for number in range(4):
        made.append(_clip(f"cough {number}", _burst(int(rng.integers(120, 300)), rng)))
        made.append(_clip(f"knock {number}", _burst(25, rng)))
    made.append(Clip("louder room", noise(2_000 * PER_MS, -45.0, rng), 0))
    made.append(_babble(rng))
    return made


def spoken(texts: Sequence[str]) -> list[Clip]:
    """Texts in several voices."""
    return [_clip(text, pcm) for text, pcm in asyncio.run(_speak(texts))]


def track(clips: Sequence[tuple[Clip, bool]], every_ms: int, rng: np.random.Generator) -> Track:
    """The clips one after the other at about ``every_ms``, each with whether it interrupts."""
    room = noise((len(clips) + 1) * every_ms * PER_MS, ROOM_DBFS, rng)
    events = []
    for number, (clip, interrupts) in enumerate(clips, 1):
        at = (number * every_ms - int(rng.integers(0, every_ms // 4))) * PER_MS
        end = min(at + len(clip.pcm), len(room))
        room[at:end] = mixed(room[at:end], clip.pcm[: end - at])
        events.append(Event(clip.name, interrupts, at + clip.onset, end))
    return Track(room, tuple(events))


def _recordings() -> Mapping[str, Pcm]:
    lines = tomllib.loads(SCENARIO.read_text())["utterance"]
    folder = SCENARIO.parent / "recordings"
    return {line["recording"]: read_pcm(folder / line["recording"]) for line in lines}


async def _speak(texts: Sequence[str]) -> list[tuple[str, Pcm]]:
    voice = EspeakVoice()
    await voice.start()
    made = []
    for name in VOICES:
        for text in texts:
            parts = [
                part.pcm
                async for part in voice.speak(text, NEUTRAL, "en", name)
                if isinstance(part, Sound)
            ]
            pcm = np.frombuffer(b"".join(parts), "<i2")
            at = np.arange(0, len(pcm) - 1, voice.rate_hz / RATE_HZ)
            made.append((text, np.interp(at, np.arange(len(pcm)), pcm)))
    await voice.close()
    return [(text, _at_peak(pcm)) for text, pcm in made]


def _at_peak(pcm: "np.ndarray[tuple[int], np.dtype[np.float64]]", peak: float = _PEAK) -> Pcm:
    scaled: Pcm = np.round(pcm * (peak / max(1.0, np.abs(pcm).max()))).astype(np.int16)
    return scaled


def _burst(ms: int, rng: np.random.Generator) -> Pcm:
    """Noise that begins at once and dies away: a cough if it is long, a knock if it is short."""
    samples = ms * PER_MS
    fading = np.exp(-4 * np.arange(samples) / samples)
    return _at_peak(rng.normal(0.0, 1.0, samples) * fading * 1e4, 12_000)


def _babble(rng: np.random.Generator) -> Clip:
    recordings = list(_recordings().values())
    length = min(len(pcm) for pcm in recordings)
    total = np.sum([pcm[:length].astype(np.float64) for pcm in recordings], axis=0)
    return Clip("babble", _at_peak(total, 32_768 * 10 ** (BABBLE_DBFS / 20)), 0)


def _clip(name: str, pcm: Pcm) -> Clip:
    frames = pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    loudness = np.sqrt((frames**2).mean(axis=1))
    onset = int(np.flatnonzero(loudness >= _ONSET_SHARE * loudness.max())[0]) * FRAME
    return Clip(name, pcm, onset)
