"""What ``robot-hub load`` can be asked for."""

from dataclasses import dataclass
from pathlib import Path

from robot_sim.errors import BadLoad

MAX_ROBOTS = 1_000
"""One process keeps about 200 robots in real time on half a core."""
MAX_MINUTES = 7 * 24 * 60.0
MIN_TALK, MAX_TALK = 0.01, 0.9


@dataclass(frozen=True, kw_only=True)
class LoadOrder:
    """``robots`` converse for ``minutes`` with the hub at ``hub_url``, whose user speaks for the
    share ``talk`` of the time. Where the hub is on this machine, ``supervisor_pid`` is its first
    process, else 0. ``json`` is a file for the result.

    Raises:
        BadLoad: a number cannot be meant.
    """

    hub_url: str
    robots: int = 10
    minutes: float = 1.0
    talk: float = 0.3
    seed: int = 1
    token: str | None = None
    supervisor_pid: int = 0
    json: Path | None = None

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("robots", self.robots, 1, MAX_ROBOTS),
            ("minutes", self.minutes, 0.05, MAX_MINUTES),
            ("talk", self.talk, MIN_TALK, MAX_TALK),
        ):
            if not low <= value <= high:
                raise BadLoad(f"--{name} must be between {low:g} and {high:g}, not {value:g}")
        if self.json is not None and not self.json.absolute().parent.is_dir():
            raise BadLoad(f"the folder of {self.json} does not exist")
