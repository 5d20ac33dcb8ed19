"""What the demo can be asked for."""

from dataclasses import dataclass
from pathlib import Path

from robot_sim.camera import DEFAULT_FPS


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """The user is the demo's scenario, or the one in the file ``scenario``, unless ``wav``, ``mic``
    or ``text`` says otherwise.

    ``hub_url`` is the hub's base (``http://127.0.0.1:8100``). ``wav`` is a recording to play
    once; with its words in ``reference`` it is judged by ``max_wer``. ``live`` keeps the robot
    there afterwards. ``save`` is a folder for ``heard.wav`` and ``said.wav``. ``camera`` is a folder
    of JPEGs, ``ball`` or ``world``; the robot sends ``camera_fps`` pictures a second.
    """

    hub_url: str
    scenario: Path | None = None
    wav: Path | None = None
    mic: bool = False
    text: bool = False
    live: bool = False
    save: Path | None = None
    robot: str = "demo"
    token: str | None = None
    reference: str | None = None
    max_wer: float = 0.30
    camera: str | None = None
    camera_fps: float = DEFAULT_FPS
