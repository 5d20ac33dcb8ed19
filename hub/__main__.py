"""``python -m hub``: the hub process, as the supervisor starts it."""

import sys

from hub.app import main

if __name__ == "__main__":
    sys.exit(main())
