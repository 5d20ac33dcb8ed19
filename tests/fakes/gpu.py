"""A graphics driver that shows what a test gives it."""

import threading
from collections import deque
from types import SimpleNamespace

from hub.gpu import BYTES_PER_GIB, Gpu, Reading


def gpu(
    free_gb: float = 20.0, total_gb: float = 24.0, name: str = "NVIDIA X", uuid: str = ""
) -> Gpu:
    """A GPU by its memory in GiB."""
    return Gpu(name, int(total_gb * BYTES_PER_GIB), int(free_gb * BYTES_PER_GIB), uuid)


class FakeDriver:
    """A ``GpuProbe``: each read is answered by the next of ``readings``, the last one for ever.
    ``threads`` holds where it was read."""

    def __init__(self, *readings: Reading) -> None:
        self._readings = deque(readings or (Reading(why="no driver"),))
        self.threads: list[int] = []

    def read(self) -> Reading:
        self.threads.append(threading.get_ident())
        return self._readings.popleft() if len(self._readings) > 1 else self._readings[0]


class FakeNvml:
    """As much of the module ``pynvml`` as is asked for. ``fails`` are the codes that its next calls
    raise, None for one that works."""

    class NVMLError(Exception):
        pass

    def __init__(self, *gpus: Gpu, fails: tuple[str | None, ...] = ()) -> None:
        self._gpus = gpus
        self._fails = deque(fails)
        self.opened = 0

    def nvmlInit(self) -> None:  # noqa: N802
        self.opened += 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        code = self._fails.popleft() if self._fails else None
        if code is not None:
            raise self.NVMLError(code)
        return len(self._gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Gpu:  # noqa: N802
        return self._gpus[index]

    def nvmlDeviceGetMemoryInfo(self, handle: Gpu) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(total=handle.total_bytes, free=handle.free_bytes)

    def nvmlDeviceGetName(self, handle: Gpu) -> str:  # noqa: N802
        return handle.name

    def nvmlDeviceGetUUID(self, handle: Gpu) -> str:  # noqa: N802
        return handle.uuid
