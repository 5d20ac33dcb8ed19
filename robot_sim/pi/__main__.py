"""What runs on the robot: ``robot-hub supervisor``, ``robot-hub face-bridge`` and the simulated
face, without anything of the hub."""

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "supervisor": "robot_sim.pi.supervise",
    "face-bridge": "robot_sim.pi.face_bridge",
    "face-device": "robot_sim.face_device",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the first argument names; 2 if it names none."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] not in COMMANDS:
        sys.stderr.write(f"usage: robot-hub {'|'.join(COMMANDS)} …, each with --help\n")
        return 2
    code: int = importlib.import_module(COMMANDS[given[0]]).main(given[1:])
    return code


if __name__ == "__main__":
    sys.exit(main())
