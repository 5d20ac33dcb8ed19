"""Scenarios: what a user says to a robot and what should come of it, as data."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocols.messages.session import Attention
from robot_sim.errors import BadScenario
from robot_sim.wav import Pcm, read_pcm

DEMO = Path(__file__).parent / "scenarios" / "demo.toml"


@dataclass(frozen=True)
class Utterance:
    """Something the user says.

    ``text`` is the reference of what is understood; empty where nobody knows what the recording
    says. While a ``held`` one is said, the push-to-talk button is held. One that is ``ignored`` is not
    for the robot, which must not answer it. ``interrupts`` is how many seconds of the robot's answer to
    the utterance before are listened to before this one begins; None waits until the robot has finished.
    """

    label: str
    pcm: Pcm
    text: str = ""
    intent: str = ""
    interrupts: float | None = None
    held: bool = False
    ignored: bool = False


@dataclass(frozen=True)
class Outcomes:
    """What must come of a conversation beside its answers: so many ``moods`` on the face, and a
    robot that has driven to within ``ball_mm`` of its ball."""

    moods: int
    ball_mm: float


@dataclass(frozen=True)
class Scenario:
    """Utterances in order, the noise they are mixed with, how long the user pauses, and what must
    come of it; nothing if ``outcomes`` is None. ``attention`` is how the robot listens, None: as the
    hub says."""

    name: str
    utterances: tuple[Utterance, ...]
    noise_dbfs: float
    pause_s: float
    outcomes: Outcomes | None = None
    attention: Attention | None = None


class _UtteranceFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    recording: str
    text: str = Field(min_length=1)
    spoken: str = ""
    intent: str = ""
    voice: str = ""
    interrupts: Annotated[float, Field(gt=0)] | None = None
    held: bool = False
    ignored: bool = False


class _OutcomesFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    moods: int = Field(ge=1)
    ball_mm: float = Field(gt=0)


class _ScenarioFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    voice: str
    noise_dbfs: float = Field(default=-58.0, le=0)
    pause_s: float = Field(default=0.6, ge=0)
    outcomes: _OutcomesFile | None = None
    attention: Attention | None = None
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
    outcomes = file.outcomes
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
                held=item.held,
                ignored=item.ignored,
            )
            for item in file.utterance
        ),
        outcomes=None if outcomes is None else Outcomes(outcomes.moods, outcomes.ball_mm),
        attention=file.attention,
    )
