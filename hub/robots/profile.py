"""A robot's profile: what one file says of it, checked. Pure but for the time zones of the machine.

    name = "Milo"
    persona = "You love the sea and speak in short sentences."
    language = "en"
    voice = "en-gb"
    volume = 0.8
    capabilities = ["nod", "spin", "patrol_drift"]   # of what it can do, what it may
    tools = ["weather.*"]                            # of what MCP_ALLOW lets it use
    time_zone = "Europe/Berlin"
    quiet_hours = "21:00-07:00"
    quiet_volume = 0.4
    attention = "wake_word"
    session_limit_s = 900
    daily_limit_s = 7200

What is left out is left to the robot's ``hello`` and to the settings of the agents.
"""

import tomllib
from datetime import datetime, time
from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from hub.robots.quiet import QuietHours, quiet_hours_of
from hub.session.character import Character
from protocols.errors import HubError
from protocols.messages.session import Attention
from protocols.vocabulary import GESTURES, SKILLS

MAX_BYTES = 64 * 1024
MAX_NAMES = 64
_NEAR = 0.6


class BadProfile(HubError):
    """A profile is not as it should be; the text is one sentence that names what and where."""

    code = "bad_profile"


def _on_one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of text")
    return " ".join(text.split())


def _without_controls(text: str) -> str:
    if not text.replace("\n", "").replace("\t", "").isprintable():
        raise ValueError("must be text without control characters")
    return text.strip()


Line = Annotated[str, AfterValidator(_on_one_line)]
Able = Annotated[str, Field(max_length=32)]
ToolRule = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}\.(\*|[A-Za-z0-9_./-]{1,128})$")]


class RobotProfile(BaseModel):
    """See the module."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Annotated[Line, Field(max_length=40)] = ""
    """What it calls itself."""
    persona: Annotated[str, Field(max_length=1_000), AfterValidator(_without_controls)] = ""
    """Who it is, told to its planner."""
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")] = ""
    """What is spoken with it, as "en" or "de"."""
    voice: Annotated[Line, Field(max_length=64)] = ""
    """A voice of the tts that speaks for it."""
    volume: Annotated[float, Field(ge=0, le=1)] = 1.0
    """A factor of its voice."""
    capabilities: Annotated[tuple[Able, ...], Field(max_length=MAX_NAMES)] | None = None
    """Gestures and skills that it may use; without it, all that it has."""
    tools: Annotated[tuple[ToolRule, ...], Field(max_length=MAX_NAMES)] | None = None
    """Tools that its planner may use, as ``server.tool`` or ``server.*``; without it, all that it
    has."""
    time_zone: Annotated[str, Field(max_length=64)] = ""
    """Where it stands, as "Europe/Berlin"; without it, where the hub does."""
    quiet_hours: str = ""
    """When it does not begin to speak by itself, as "21:00-07:00"."""
    quiet_volume: Annotated[float, Field(ge=0, le=1)] = 0.4
    """How loud it is then at most."""
    attention: Attention | None = None
    """How it listens: open, push_to_talk, wake_word or muted; without it, as its ``hello`` says."""
    session_limit_s: Annotated[float, Field(ge=0, le=86_400)] | None = None
    """After so long a conversation it suggests a break, 0: never; without it, as every robot."""
    daily_limit_s: Annotated[float, Field(ge=0, le=86_400)] | None = None
    """After so much talk in a day it begins no further conversation, 0: never; without it, as every
    robot."""

    @field_validator("capabilities")
    @classmethod
    def _known(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in names or ():
            if name not in (*GESTURES, *SKILLS):
                raise ValueError(f"{name!r} is no gesture or skill{_hint(name, GESTURES + SKILLS)}")
        return names

    @field_validator("time_zone")
    @classmethod
    def _a_place(cls, name: str) -> str:
        if name and _zone(name) is None:
            raise ValueError(f"{name!r} is no time zone that this machine knows")
        return name

    @field_validator("quiet_hours")
    @classmethod
    def _two_times(cls, text: str) -> str:
        if text:
            quiet_hours_of(text)
        return text

    @property
    def zone(self) -> ZoneInfo | None:
        """Its time zone; None is the machine's own."""
        return _zone(self.time_zone) if self.time_zone else None

    @property
    def quiet(self) -> QuietHours | None:
        """Its quiet hours, if it has any."""
        return quiet_hours_of(self.quiet_hours) if self.quiet_hours else None

    def is_quiet(self, clock: time) -> bool:
        """Whether it is in its quiet hours when its clock shows ``clock``."""
        return self.quiet is not None and self.quiet.cover(clock)

    def character_at(self, moment: datetime) -> Character:
        """Who it is at ``moment``, which knows its time zone."""
        quiet = self.is_quiet(moment.astimezone(self.zone).time())
        return Character(
            name=self.name,
            persona=self.persona,
            language=self.language,
            voice=self.voice,
            volume=min(self.volume, self.quiet_volume) if quiet else self.volume,
            able=None if self.capabilities is None else frozenset(self.capabilities),
            tools=self.tools,
            quiet=quiet,
            attention=self.attention,
            session_limit_s=self.session_limit_s,
            daily_limit_s=self.daily_limit_s,
        )


NO_PROFILE = RobotProfile()


def profile_of(text: str, file: str) -> RobotProfile:
    """Read a profile; ``file`` names it in errors.

    Raises:
        BadProfile: it is no TOML, a key is unknown or its value is not allowed.
    """
    try:
        fields = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of numbers too long and lists too deep
        raise BadProfile(f"{file} is no TOML: {error}") from error
    known = tuple(RobotProfile.model_fields)
    for key in fields:
        if key not in known:
            raise BadProfile(f"{file}: {key} is no field of a robot's profile{_hint(key, known)}")
    try:
        return RobotProfile.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        raise BadProfile(f"{file}: {place}: {why[:1].lower()}{why[1:]}") from error


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None


def _hint(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name.lower(), known, n=1, cutoff=_NEAR)
    return f"; is {near[0]} meant?" if near else ""
