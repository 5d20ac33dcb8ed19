"""Where torch computes on this machine."""

from typing import Any

from agents.runtime.errors import BackendUnavailable


def choose_device(wanted: str, torch: Any) -> str:
    """``cuda`` or ``cpu``; ``wanted`` may be ``auto``: the GPU if torch can use one.

    Raises:
        BackendUnavailable: ``llm_no_gpu``; one is wanted and there is none.
    """
    has_cuda = bool(torch.cuda.is_available())
    if wanted == "cuda" and not has_cuda:
        raise BackendUnavailable("a GPU is asked for, and torch finds none", "llm_no_gpu")
    if wanted == "auto":
        return "cuda" if has_cuda else "cpu"
    return wanted
