"""What a robot remembers over its restarts: its hub, and the token that lets it in there."""

import os
import tempfile
from pathlib import Path

import msgspec

from robot_sim.errors import BadOrder


class Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    """``hub_id`` is the hub that the robot is paired with, at ``url`` the last time."""

    hub_id: str = ""
    url: str = ""
    token: str = ""


class Memory:
    """A file of one robot, readable by its owner alone, and never half written."""

    def __init__(self, folder: Path, robot_id: str) -> None:
        self._path = folder / f"{robot_id}.json"

    def read(self) -> Remembered:
        """What is remembered; nothing if there is no such file.

        Raises:
            BadOrder: it cannot be read, or holds something else.
        """
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Remembered)
        except FileNotFoundError:
            return Remembered()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadOrder(f"{self._path} cannot be read: {error}") from error

    def write(self, remembered: Remembered) -> None:
        """Remember this instead.

        Raises:
            BadOrder: the file cannot be written.
        """
        folder = self._path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder, prefix=self._path.name)  # mode 0600
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(remembered)))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except OSError as error:
            raise BadOrder(f"{self._path} cannot be written: {error.strerror}") from error
