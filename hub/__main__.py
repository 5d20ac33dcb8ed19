"""``python -m hub``: the hub process, as the supervisor starts it."""

import sys

import protocols.lean  # noqa: F401 - before whatever imports structlog

# isort: split
from hub.app import main

SWITCH_S = 0.0005
"""How long a thread that works on a large body, a recording or the store may keep the interpreter
from the loop: a tenth of what Python allows, and a fortieth of a robot's frame."""

if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_S)
    sys.exit(main())
