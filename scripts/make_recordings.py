"""Make the recordings of a scenario with flite (Debian package ``flite``).

Usage: ``python scripts/make_recordings.py [robot_sim/scenarios/demo.toml]``. Each utterance's text,
or what it has as ``spoken``, is spoken by the scenario's voice, cut to the speech, set to a peak of -6 dBFS and written as
16 kHz mono WAV. The same flite makes the same bytes, so a second run changes nothing.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from robot_sim.wav import RATE_HZ, Pcm, read_pcm, write_wav  # noqa: E402

PEAK = 10 ** (-6 / 20) * 32767
QUIET = 200
"""Samples below this are silence before and after the speech."""
EDGE_SAMPLES = RATE_HZ // 20
"""Silence that is kept on both sides, so that soft consonants are not cut."""


def spoken(text: str, voice: str) -> Pcm:
    """``text`` in flite's ``voice``, 16 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        return read_pcm(path)


def trimmed(pcm: Pcm) -> Pcm:
    """``pcm`` without the silence around it, at the peak that all recordings share."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > QUIET)
    first = max(0, int(loud[0]) - EDGE_SAMPLES)
    last = min(len(pcm), int(loud[-1]) + EDGE_SAMPLES)
    cut = pcm[first:last].astype(np.float64)
    return np.round(cut * (PEAK / np.abs(cut).max())).astype(np.int16)


def main(scenario: Path) -> None:
    data = tomllib.loads(scenario.read_text())
    folder = scenario.parent / "recordings"
    folder.mkdir(exist_ok=True)
    for utterance in data["utterance"]:
        words = utterance.get("spoken", utterance["text"])
        pcm = trimmed(spoken(words, utterance.get("voice", data["voice"])))
        write_wav(folder / utterance["recording"], pcm)
        sys.stdout.write(f"{utterance['recording']}: {len(pcm) / RATE_HZ:.2f} s\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "robot_sim/scenarios/demo.toml")
