"""A model that is fetched when it is first needed, with its progress told."""

import asyncio
import io
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from pathlib import Path
from typing import Any, NamedTuple

from agents.runtime.errors import BackendUnavailable
from agents.runtime.progress import progress
from agents.stt.models import fetch_model

Told = Callable[[float, float], None]
"""Bytes done, bytes in all."""


class Download(NamedTuple):
    """A model of the model hub that is not on disk yet. ``token`` is for private ones."""

    name: str
    token: str = ""

    async def fetched(self) -> Path:
        """Fetch it; return where it lies.

        Raises:
            BackendUnavailable: it cannot be fetched; the sentence says what to do.
        """
        step = f"downloading whisper model {self.name}"
        progress(step)
        left = threading.Event()
        context = copy_context()
        bars = bars_telling(lambda done, total: _tell(context, step, done, total), left)
        try:
            return await asyncio.to_thread(fetch_model, self.name, self.token, bars)
        except BackendUnavailable as error:
            raise BackendUnavailable(f"{error}; try `robot-hub models pull {self.name}`") from error
        finally:
            left.set()


def bars_telling(tell: Told, left: threading.Event) -> type[Any]:
    """A class in the place of the model hub library's progress bars: it draws nothing, and hands
    what the bars would show to ``tell``, in whatever thread downloads.

    Several bars count the same bytes (as they come, as they are written): the largest total wins.
    Once ``left`` is set nothing is told any more, and a download breaks off at its next step.
    """
    from tqdm import tqdm  # type: ignore[import-untyped]

    shown: dict[int, tuple[float, float]] = {}

    class Telling(tqdm):  # type: ignore[misc] # it has no types
        monitor_interval = 0  # no thread that watches the bars

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs |= {"file": io.StringIO(), "disable": False, "mininterval": 0.2}
            super().__init__(*args, **kwargs)

        def update(self, n: float | None = 1) -> None:
            if left.is_set():
                raise BackendUnavailable("the agent is leaving")
            super().update(n)

        def display(self, *_: Any, **__: Any) -> bool:
            if self.unit == "B" and self.total and not left.is_set():
                shown[id(self)] = (self.n, self.total)
                tell(*max(shown.values(), key=lambda bar: (bar[1], bar[0])))
            return True

    # Its own lock would be one between processes.
    Telling.set_lock(threading.RLock())
    return Telling


def _tell(context: Context, step: str, done: float, total: float) -> None:
    """Report from a thread that the library made, which knows nothing of the context."""
    context.copy().run(progress, step, done, total, "bytes")
