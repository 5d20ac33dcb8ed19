"""``robot-hub logs``: the end of the log file, and what is added to it."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from hub import pidfile
from hub.commands.client import check_port
from hub.log_file import FILE, history
from hub.settings import Settings
from protocols.errors import HubError

_POLL_S = 0.2


class NoLog(HubError):
    """There is no log file."""

    code = "no_log"


def show_logs(
    settings: Settings,
    lines: int,
    say: Callable[[str], None],
    *,
    follow: bool = False,
    port: int | None = None,
) -> None:
    """Say the last ``lines`` of the log; with ``follow``, new ones too, until Ctrl-C.

    Raises:
        NoLog: none was written, or it cannot be read.
        OtherPort: the hub of the data directory listens elsewhere than at ``port``.
    """
    check_port(pidfile.running(settings.hub_data_dir), port, settings.hub_data_dir)
    log = settings.hub_data_dir / FILE
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            for line in last_lines(log, lines, file):
                say(line)
            if follow:
                for line in new_lines(log, file):
                    say(line)
    except FileNotFoundError:
        raise NoLog(
            f"there is no log at {log}: `robot-hub start` writes one; a hub that a service manager"
            " runs logs there (journalctl -u robot-hub)"
        ) from None
    except OSError as error:
        raise NoLog(f"the log {log} cannot be read: {error.strerror}") from None
    except KeyboardInterrupt:
        return


def last_lines(log: Path, count: int, newest: TextIO) -> list[str]:
    """The last ``count`` lines of the log and of what it was before its rotations; ``newest`` is
    the open file, which is read to its end."""
    found = deque(newest.read().splitlines(), maxlen=count)
    for older in reversed(history(log)[:-1]):
        if len(found) >= count:
            break
        text = older.read_text("utf-8", "replace").splitlines()
        found.extendleft(reversed(text[-(count - len(found)) :]))
    return list(found)


def new_lines(
    log: Path, file: TextIO, wait: Callable[[], None] = lambda: time.sleep(_POLL_S)
) -> Iterator[str]:
    """Complete lines as they are added to ``file``, and then to the file that takes its place."""
    rest = ""
    with ExitStack() as later:
        while True:
            was_replaced = _is_replaced(log, file)  # asked first: what is read then is all of it
            *lines, rest = (rest + file.read()).split("\n")
            yield from lines
            if was_replaced:
                later.close()
                file = later.enter_context(log.open(encoding="utf-8", errors="replace"))
            else:
                wait()


def _is_replaced(log: Path, file: TextIO) -> bool:
    try:
        return log.stat().st_ino != os.fstat(file.fileno()).st_ino
    except OSError:  # between two steps of a rotation
        return False
