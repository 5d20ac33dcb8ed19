"""Scenarios: what a user says to a robot and what should come of it, as data."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from robot_sim.errors import BadScenario
from robot_sim.wav import Pcm, read_pcm

DEMO = Path(__file__).parent / "scenarios" / "demo.toml"


@dataclass(frozen=True)
class Utterance:
    """Something the user says.

    ``text`` is the reference of what is understood; empty where nobody knows what the recording
    says. ``interrupts`` is how many seconds of the robot's answer to the utterance before are
    listened to before this one begins; None waits until the robot has finished.
    """

    label: str
    pcm: Pcm
    text: str = ""
    intent: str = ""
    interrupts: float | None = None


@dataclass(frozen=True)
class Scenario:
    """Utterances in order, the noise they are mixed with, and how long the user pauses."""

    name: str
    utterances: tuple[Utterance, ...]
    noise_dbfs: float
    pause_s: float


class _UtteranceFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    recording: str
    text: str = Field(min_length=1)
    intent: str = ""
    voice: str = ""
    interrupts: Annotated[float, Field(gt=0)] | None = None


class _ScenarioFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    voice: str
    noise_dbfs: float = Field(default=-58.0, le=0)
    pause_s: float = Field(default=0.6, ge=0)
    utterance: list[_UtteranceFile] = Field(min_length=1)


def load(path: Path = DEMO) -> Scenario:
    """Read a scenario and its recordings, which stand in ``recordings/`` beside it.

    Raises:
        BadScenario: the file is missing or is no scenario.
        UnreadableRecording: a recording is missing or cannot be decoded.
    """
    try:
        file = _ScenarioFile.model_validate(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadScenario(f"{path} is no scenario: {error}") from error
    if file.utterance[0].interrupts is not None:
        raise BadScenario(f"{path}: the first utterance has nothing to interrupt")
    folder = path.parent / "recordings"
    return Scenario(
        name=file.name,
        noise_dbfs=file.noise_dbfs,
        pause_s=file.pause_s,
        utterances=tuple(
            Utterance(
                label=item.recording.removesuffix(".wav"),
                pcm=read_pcm(folder / item.recording),
                text=item.text,
                intent=item.intent,
                interrupts=item.interrupts,
            )
            for item in file.utterance
        ),
    )
