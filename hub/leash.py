"""Runs a command that dies with its parent: ``python -I -S leash.py PARENT_PID COMMAND…``.

The kernel is asked to kill this process when the parent does, then it becomes the command, which
keeps that bond. A program of its own, because nothing may run between fork and exec in a process
that has threads. It imports next to nothing: it stands before the start of every child.
"""

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def command_line(command: tuple[str, ...]) -> tuple[str, ...]:
    """``command``, to be run on a leash held by the calling process."""
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), *command)


def main(parent_pid: int, command: list[str]) -> None:
    """Tie this process to ``parent_pid`` and become ``command``; does not return."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the bond was made
        sys.exit(1)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
