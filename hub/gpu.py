"""What the GPUs of this machine are and have free, as NVIDIA's driver says (NVML).

A machine without a driver, or without ``nvidia-ml-py``, has no GPU that can be measured: that is an
answer, never an error.
"""

import asyncio
import ctypes
import importlib
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

FRESH_S = 5.0
"""How old what :class:`GpuWatch` knows may be: supervisors ask for it as often."""
BYTES_PER_GIB = 1 << 30
DRIVER = "libnvidia-ml.so.1"
"""The library that every NVIDIA driver brings."""


class Gpu(NamedTuple):
    """One GPU at one moment."""

    name: str
    total_bytes: int
    free_bytes: int
    uuid: str = ""

    @property
    def free_gb(self) -> float:
        """Free memory in GiB."""
        return self.free_bytes / BYTES_PER_GIB

    @property
    def total_gb(self) -> float:
        """All its memory in GiB."""
        return self.total_bytes / BYTES_PER_GIB


class Reading(NamedTuple):
    """Every GPU in the driver's order; where there is none, ``why`` says what stands in the way."""

    gpus: tuple[Gpu, ...] = ()
    why: str = ""


class GpuProbe(Protocol):
    """Asks the driver."""

    def read(self) -> Reading:
        """Blocks for milliseconds, up to a second where the driver wakes up for it."""


class Nvml:
    """The driver's own library, opened once and kept, so that a read wakes no sleeping driver."""

    def __init__(self, driver: str = DRIVER) -> None:
        self._driver = driver
        self._nvml: Any = None

    def read(self) -> Reading:
        """See ``GpuProbe``."""
        try:
            nvml = self._nvml = self._nvml or _opened(self._driver)
            count = nvml.nvmlDeviceGetCount()
            return Reading(tuple(_gpu(nvml, index) for index in range(count)))
        except ImportError:
            return Reading(why="nvidia-ml-py is not installed")
        except OSError:
            return Reading(why="NVML Shared Library Not Found")
        except Exception as error:  # NVML has an error class for each of its codes
            self._nvml = None  # the driver may have been reset or replaced: open it anew
            return Reading(why=str(error))


def visible(gpus: Sequence[Gpu], chosen: str | None) -> Sequence[Gpu]:
    """Those of ``gpus`` that CUDA shows to a process, in its order, by ``CUDA_VISIBLE_DEVICES``:
    indices or UUIDs by commas, of which the first unknown one and all after it do not count. None
    shows all."""
    if chosen is None:
        return gpus
    shown: list[Gpu] = []
    for name in (part.strip() for part in chosen.split(",")):
        found = _named(gpus, name)
        if found is None:
            break
        shown.append(found)
    return shown


class GpuWatch:
    """Knows the first GPU that engines may use, a few seconds old at the most.

    ``now`` may be read on the loop at any time; None where nothing can be measured.
    """

    def __init__(self, probe: GpuProbe, chosen: str | None) -> None:
        self._probe = probe
        self._chosen = chosen
        self.now: Gpu | None = None

    async def keep(self) -> None:
        """Ask again and again, off the loop, for as long as the task lives; ends at once where
        the first answer is that there is no GPU, since a driver does not come by itself."""
        reading = await asyncio.to_thread(self._probe.read)
        if not reading.gpus:
            return
        while True:
            self.now = first_visible(reading.gpus, self._chosen)
            await asyncio.sleep(FRESH_S)
            reading = await asyncio.to_thread(self._probe.read)


def first_visible(gpus: Sequence[Gpu], chosen: str | None) -> Gpu | None:
    """The GPU that an engine takes if nobody tells it another one."""
    return next(iter(visible(gpus, chosen)), None)


def _opened(driver: str) -> Any:
    # The binding takes 17 MiB of memory, which a machine without a driver need not spend.
    ctypes.CDLL(driver)
    nvml = importlib.import_module("pynvml")
    nvml.nvmlInit()
    return nvml


def _gpu(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    name, uuid = nvml.nvmlDeviceGetName(handle), nvml.nvmlDeviceGetUUID(handle)
    return Gpu(str(name), int(memory.total), int(memory.free), str(uuid))


def _named(gpus: Sequence[Gpu], name: str) -> Gpu | None:
    if name.isdecimal():
        return gpus[int(name)] if int(name) < len(gpus) else None
    return next((gpu for gpu in gpus if name and gpu.uuid.startswith(name)), None)
