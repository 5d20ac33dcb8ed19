"""What feelings are told by their environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from agents.feelings.guardrails import Guardrails
from agents.feelings.temperament import Axes
from agents.runtime.settings import AgentSettings

Share = Annotated[float, Field(ge=0, le=1)]


class FeelingsSettings(AgentSettings):
    """The temperament of the robots of this hub, and how long they may talk."""

    backend: Literal["file", "scripted"] = Field(
        default="file", validation_alias="FEELINGS_BACKEND"
    )
    directory: Path = Field(
        default=Path("feelings"), validation_alias=AliasChoices("FEELINGS_DIR", "HUB_DATA_DIR")
    )
    """Where ``feelings.json`` is: the hub's data directory, if nothing else is said."""
    session_limit_s: float = Field(
        default=900, ge=0, le=86_400, validation_alias="FEELINGS_SESSION_LIMIT_S"
    )
    """After so long a conversation a robot suggests a break; 0: never."""
    daily_limit_s: float = Field(
        default=2_700, ge=0, le=86_400, validation_alias="FEELINGS_DAILY_LIMIT_S"
    )
    """After so much talk in a day a robot begins no further conversation; 0: never."""
    # what a robot is like: its temperament's five axes
    energy: Share = Field(default=0.40, validation_alias="FEELINGS_ENERGY")
    reactivity: Share = Field(default=0.50, validation_alias="FEELINGS_REACTIVITY")
    initiative: Share = Field(default=0.30, validation_alias="FEELINGS_INITIATIVE")
    vulnerability: Share = Field(default=0.35, validation_alias="FEELINGS_VULNERABILITY")
    predictability: Share = Field(default=0.75, validation_alias="FEELINGS_PREDICTABILITY")
    seed: str = Field(default="", max_length=64, validation_alias="FEELINGS_SEED")
    """What the robots' small moods come from, to have them once more; empty: chance."""
    capacity: int = Field(default=1_000, ge=1, validation_alias="FEELINGS_CAPACITY")
    """Robots that are served at once."""

    @property
    def axes(self) -> Axes:
        """The temperament."""
        return Axes(
            self.energy, self.reactivity, self.initiative, self.vulnerability, self.predictability
        )

    @property
    def guardrails(self) -> Guardrails:
        """What the robots must not feel, and for how long they may talk."""
        return Guardrails(session_limit_s=self.session_limit_s, daily_limit_s=self.daily_limit_s)
