"""What an engine's errors are taken for."""

import pytest

from agents.engines.faults import LOAD_FAILED, OUT_OF_MEMORY, fault_of

LOG_OF_THREE_PROCESSES = """\
WorkerProc failed to start.
Traceback (most recent call last):
  File "worker.py", line 1, in main
ValueError: Free memory on device (2.1/8.0 GiB) on startup is less than desired GPU memory utilization
EngineCore failed to start.
Traceback (most recent call last):
  File "core.py", line 1, in run
Exception: WorkerProc initialization failed due to an exception in a background process.
"""


@pytest.mark.parametrize(
    "error",
    [
        "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
        "RuntimeError: [enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory",
        "ValueError: No available memory for the cache blocks.",
        "ValueError: 4.5 GiB KV cache is needed, which is larger than the available KV cache memory",
        "MemoryError: ",
    ],
)
def test_too_little_memory_is_recognised_however_it_is_said(error: str) -> None:
    assert fault_of(error).code == OUT_OF_MEMORY


def test_the_cause_is_told_and_not_what_came_of_it() -> None:
    fault = fault_of("RuntimeError: Engine core initialization failed.", LOG_OF_THREE_PROCESSES)
    assert fault.code == OUT_OF_MEMORY
    assert fault.reason.startswith("ValueError: Free memory on device (2.1/8.0 GiB)")


def test_an_error_of_many_lines_becomes_one() -> None:
    fault = fault_of("ValidationError: 1 error\n  unknown\n  architecture")
    assert fault == (LOAD_FAILED, "ValidationError: 1 error unknown architecture")


def test_that_an_engine_died_is_no_reason_for_its_death() -> None:
    log = "vllm.v1.engine.exceptions.EngineDeadError: see above\n"
    assert fault_of("", log) == (LOAD_FAILED, "it does not say why")


def test_a_reason_has_an_end() -> None:
    assert len(fault_of("ValueError: " + "x" * 10_000).reason) < 1_000
