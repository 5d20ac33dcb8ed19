"""Lines from the keyboard, on the loop."""

import asyncio
import sys
import threading


class Keyboard:
    """Reads standard input in a thread of its own, which ends with the process.

    A thread, since a file or a terminal cannot be waited for everywhere; a daemon, since nothing
    can wake it.
    """

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self.ended = False
        """Standard input is at its end and all of it is taken."""
        self.is_person = sys.stdin.isatty()
        threading.Thread(target=self._read, name="keyboard", daemon=True).start()

    def line(self) -> str | None:
        """The next line that was typed, None if there is none yet."""
        while not self._lines.empty():
            line = self._lines.get_nowait()
            if line is None:
                self.ended = True
            elif line.strip():
                return line.strip()
        return None

    def _read(self) -> None:
        for line in sys.stdin:
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)
        self._loop.call_soon_threadsafe(self._lines.put_nowait, None)
