"""The recorded voices that the project holds, for tests that need real speech."""

import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

SCENARIO = Path(__file__).parent.parent / "robot_sim" / "scenarios" / "demo.toml"


class Recording(NamedTuple):
    """A 16 kHz mono WAV file and the words in it."""

    path: Path
    text: str


def demo_recordings() -> list[Recording]:
    """The utterances of the demo; skips the test where they have not been made."""
    if not SCENARIO.is_file():
        pytest.skip(f"{SCENARIO} is not there")
    lines = tomllib.loads(SCENARIO.read_text())["utterance"]
    found = [
        Recording(SCENARIO.parent / "recordings" / line["recording"], line["text"])
        for line in lines
    ]
    for recording in found:
        if not recording.path.is_file():
            pytest.skip(f"{recording.path} is not made; run scripts/make_recordings.py")
    return found


def demo_recording(name: str) -> Recording:
    """The utterance of the demo in the file ``name``."""
    return next(one for one in demo_recordings() if one.path.name == name)
