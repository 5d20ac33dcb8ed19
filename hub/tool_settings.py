"""What the hub is told about programs that use it by the Model Context Protocol."""

from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

EVERYBODY = "*"


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class ToolSettings(BaseSettings):
    """Consent is off until it is given."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    hub_mcp: bool = True
    """Offer models and robots as tools at /mcp."""
    hub_camera_consent: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    """Robots whose camera's pictures programs may have; ``*``: all."""

    def may_look(self, robot: str) -> bool:
        """Whether programs may have pictures of this robot's camera."""
        return robot in self.hub_camera_consent or EVERYBODY in self.hub_camera_consent
