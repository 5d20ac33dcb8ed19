"""What the supervisor program is told on its command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from protocols.identity import checked_robot_id
from protocols.messages.session import Attention, EchoCanceller
from robot_sim.camera import DEFAULT_FPS
from robot_sim.errors import BadOrder

DEFAULT, NONE = "default", "none"
"""Names of devices: the system's choice, and none at all."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """``hub`` is the hub's base URL, None: the one that announces itself. ``mic`` and ``speaker``
    are ``default``, ``none``, a device or a WAV file; ``again_s``: the file's user says it again
    after so long. ``state`` is the folder of what is remembered. ``attention`` None is what the hub
    says, ``wake`` the wake word that it hears itself, ``mute_button`` the input device of its
    microphone's."""

    robot: str
    hub: str | None = None
    token: str | None = None
    state: Path = Path()
    forget: bool = False
    mic: str = DEFAULT
    speaker: str = DEFAULT
    again_s: float | None = None
    face_port: str | None = None
    camera: str | None = None
    camera_fps: float = DEFAULT_FPS
    aec: EchoCanceller = EchoCanceller.NONE
    attention: Attention | None = None
    wake: str | None = None
    mute_button: str | None = None
    language: str = "en"
    body: str = NONE
    verbose: bool = False


def read_order(arguments: Sequence[str], prog: str = "robot-hub supervisor") -> Order:
    """The order that ``arguments`` are; ends the process where they cannot be parsed.

    Raises:
        BadIdentity, BadOrder: they can, and make no sense.
    """
    given = _parser(prog).parse_args(arguments)
    return Order(
        robot=checked_robot_id(given.robot_id),
        hub=given.hub,
        token=token_of(given.token_file),
        state=given.state_dir.expanduser(),
        forget=given.forget,
        mic=given.mic,
        speaker=given.speaker,
        again_s=given.mic_again,
        face_port=given.face_port,
        camera=given.camera,
        camera_fps=given.camera_fps,
        aec=EchoCanceller(given.aec),
        attention=given.attention and Attention(given.attention),
        wake=given.wake,
        mute_button=given.mute_button,
        language=given.language,
        body=given.body,
        verbose=given.verbose,
    )


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog, description="Be a robot: microphone, loudspeaker, face and camera on a hub."
    )
    add = parser.add_argument
    add("--robot-id", required=True, help="its name; letters, digits, . _ -")
    add("--hub", help="ws://host:port of the hub; without it the hub that announces itself")
    add("--token-file", type=Path, help="file of its token, if it is not to be paired by a code")
    add("--state-dir", type=Path, default=Path("~/.local/share/robot-supervisor"),
        help="where it remembers its hub and its token (%(default)s)")  # fmt: skip
    add("--forget", action="store_true", help="forget the hub that it was paired with")
    add("--mic", default=DEFAULT, help="default, none, a device's number or name, or a WAV file")
    add("--mic-again", type=float, metavar="SECONDS", help="say the WAV file again after so long")
    add("--speaker", default=DEFAULT, help="as --mic; a WAV file is written")
    add("--face-port", help="serial port of its face, as /dev/ttyACM0")
    add("--camera", help="rpicam, a command that writes JPEGs, or a folder of them")
    add("--camera-fps", type=float, default=DEFAULT_FPS, help="pictures a second (%(default)s)")
    add("--aec", default="none", choices=[each.value for each in EchoCanceller],
        help="who takes its voice out of its microphone (%(default)s)")  # fmt: skip
    add("--attention", choices=[each.value for each in Attention],
        help="when it listens; without it as the hub says")  # fmt: skip
    add("--wake", metavar="WORD", help="hear this wake word itself, as okay_nabu or a JSON file")
    add("--mute-button", metavar="DEVICE", help="its microphone's, as /dev/input/event0")
    add("--language", default="en", help="what its user speaks (%(default)s)")
    add("--body", default=NONE, choices=[NONE, "simulated"], help="what moves (%(default)s)")
    add("--verbose", action="store_true", help="log more")
    return parser


def token_of(file: Path | None) -> str | None:
    """The token in a file; raises ``BadOrder``."""
    if file is None:
        return None
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadOrder(f"the token file {file} cannot be read: {error}") from error
