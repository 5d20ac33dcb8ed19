"""What the GPUs have free: through NVML, as CUDA shows them, and never on the loop."""

import asyncio
import sys
import threading

import pytest

from hub.gpu import GpuWatch, Nvml, Reading, first_visible, visible
from tests.fakes.gpu import FakeDriver, FakeNvml, gpu

A, B, C = gpu(uuid="GPU-aa"), gpu(uuid="GPU-ab"), gpu(uuid="GPU-cc")


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        (None, [A, B, C]),
        ("0", [A]),
        ("2,0", [C, A]),
        (" 1 , 2 ", [B, C]),
        ("GPU-cc", [C]),
        ("GPU-c", [C]),
        ("1,7,0", [B]),
        ("", []),
        ("-1", []),
        ("none", []),
    ],
)
def test_engines_see_the_gpus_that_cuda_shows_them(chosen: str | None, shown: list[object]) -> None:
    assert list(visible([A, B, C], chosen)) == shown
    assert first_visible([A, B, C], chosen) == (shown[0] if shown else None)


PRESENT = "libc.so.6"
"""Stands for the driver's library."""


def test_a_gpu_is_read_from_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(gpu(3.5, 24.0, "NVIDIA Y", "GPU-1")))

    (found,) = Nvml(PRESENT).read().gpus

    assert (found.name, found.free_gb, found.total_gb, found.uuid) == (
        "NVIDIA Y", 3.5, 24.0, "GPU-1",
    )  # fmt: skip


def test_the_driver_is_opened_once_and_anew_after_it_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driver = FakeNvml(gpu(), fails=(None, None, "GPU is lost"))
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    nvml = Nvml(PRESENT)

    assert [bool(nvml.read().gpus) for _ in range(2)] == [True, True]
    assert driver.opened == 1
    assert nvml.read() == Reading(why="GPU is lost")
    assert nvml.read().gpus
    assert driver.opened == 2


def test_a_machine_without_the_library_has_no_gpu_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)

    assert Nvml(PRESENT).read() == Reading(why="nvidia-ml-py is not installed")


def test_without_a_driver_its_binding_is_not_even_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)

    assert Nvml("libno-such-driver.so.1").read().why == "NVML Shared Library Not Found"
    assert "pynvml" not in sys.modules


def test_a_real_read_is_an_answer_on_every_machine() -> None:
    reading = Nvml().read()

    assert bool(reading.gpus) != bool(reading.why)


async def test_the_watch_reads_off_the_loop_and_forgets_a_gpu_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hub.gpu.FRESH_S", 0.0)
    driver = FakeDriver(Reading((A, B)), Reading((A, B)), Reading(why="GPU is lost"))
    watch = GpuWatch(driver, "1")
    seen = []
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(watch.keep())
        while len(driver.threads) < 4:
            seen.append(watch.now)
            await asyncio.sleep(0)
        keeping.cancel()

    assert B in seen
    assert watch.now is None
    assert threading.get_ident() not in driver.threads


async def test_the_watch_leaves_a_machine_without_a_gpu_alone() -> None:
    driver = FakeDriver(Reading(why="no driver"))
    watch = GpuWatch(driver, None)

    await watch.keep()

    assert watch.now is None
    assert len(driver.threads) == 1
