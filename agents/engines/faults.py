"""What went wrong in an engine, read from the text of its errors: a code and one sentence."""

import re
from typing import NamedTuple

OUT_OF_MEMORY = "llm_out_of_memory"
LOAD_FAILED = "llm_load_failed"

_MAX_CHARS = 400
_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|can't allocate memory|not enough memory|MemoryError"
    r"|memory utilization|No available memory for the cache|larger than the available KV cache"
    r"|less than requested memory",
    re.IGNORECASE,
)
"""Of torch on both kinds of device, and of vLLM's own reckoning before it allocates."""
_EXCEPTION = re.compile(
    r"^(?:[A-Za-z_]\w*\.)*(?!EngineDead)\w*(?:Error|Exception): .*\S", re.MULTILINE
)
"""The last line of a traceback; that an engine died is no reason why."""


class Fault(NamedTuple):
    """``code`` for clients, ``reason`` for people."""

    code: str
    reason: str


def fault_of(error: str, log: str = "") -> Fault:
    """The fault that an error's message and the engine's log, tracebacks included, tell of.

    An engine of several processes reports the cause first, in its log, and then what came of it.
    """
    told = [*_EXCEPTION.findall(log), " ".join(error.split())]
    for line in told:
        if _MEMORY.search(line):
            return Fault(OUT_OF_MEMORY, line[:_MAX_CHARS])
    return Fault(LOAD_FAILED, told[0][:_MAX_CHARS] or "it does not say why")
