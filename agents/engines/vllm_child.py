"""Loaded by vLLM in each process that it starts (``vllm.general_plugins`` in pyproject.toml).

The engine's processes are children of an agent. They must not outlive it, whatever ended it, since
they hold the GPU's memory; and what ends the agent must reach them through the agent, so that an
answer that is being spoken while everything shuts down can be finished.
"""

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait


def follow_parent() -> None:
    """Tie this process to the one that started it; does nothing where no engine is a child."""
    parent = parent_process()
    if parent is None:
        return
    # Signals that are meant for the agent's group (a drain, Ctrl-C) pass this process by.
    os.setpgid(0, 0)
    threading.Thread(
        target=_end_with, args=(parent.sentinel,), name="follow-parent", daemon=True
    ).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGKILL)
