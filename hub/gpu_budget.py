"""Who may take how much of the GPU: declared shares under a cap, and whether Orpheus fits. Pure.

Engines on one GPU allocate their share when they start and never ask the others, so what they
declare must fit together before the first of them starts.
"""

from collections.abc import Sequence
from typing import NamedTuple

_ROUNDING = 1e-9


class Share(NamedTuple):
    """The part of the GPU's memory, 0 to 1, that an engine takes, and the setting that says so."""

    setting: str
    part: float


class OrpheusPolicy(NamedTuple):
    """Whether Orpheus may run, and why, in the words that supervisors know (contract of
    ``GET /health``, ``ai.tts.orpheus_policy_reason``)."""

    allowed: bool
    reason: str


NO_ORPHEUS = OrpheusPolicy(False, "performance_mode_disabled")
POLICIES = {
    "performance_mode_disabled": False,
    "unknown_free_vram": False,
    "low_free_vram": False,
    "vram_budget_ok": True,
}
"""Every reason, and whether Orpheus may run for it."""


def shares_of(*, vllm: float | None, orpheus: float | None) -> tuple[Share, ...]:
    """The shares of the engines that would run on the GPU; None for one that would not."""
    declared = {
        "VLLM_GPU_MEMORY_UTILIZATION": vllm,
        "ORPHEUS_GPU_MEMORY_UTILIZATION": orpheus,
    }
    return tuple(Share(name, part) for name, part in declared.items() if part is not None)


def overbooking(shares: Sequence[Share], cap: float) -> str:
    """One sentence with the sum spelled out if ``shares`` are more than ``cap``; else empty."""
    total = sum(share.part for share in shares)
    if total <= cap + _ROUNDING:
        return ""
    terms = " + ".join(f"{share.setting} {share.part:.2f}" for share in shares)
    total_text = f" = {total:.2f}" if len(shares) > 1 else ""
    return f"{terms}{total_text} is above GPU_UTILIZATION_CAP {cap:.2f}"


def policy_for(
    *, performance_mode: bool, free_gb: float | None, min_free_gb: float
) -> OrpheusPolicy:
    """Whether Orpheus may run on a GPU of which ``free_gb`` GiB are free before any engine starts.

    Unknown (None) is no: an engine that takes memory from a GPU nobody can measure may take it
    from the one that holds the conversation.
    """
    if not performance_mode:
        reason = "performance_mode_disabled"
    elif free_gb is None:
        reason = "unknown_free_vram"
    elif free_gb < min_free_gb:
        reason = "low_free_vram"
    else:
        reason = "vram_budget_ok"
    return OrpheusPolicy(POLICIES[reason], reason)


def policy_named(reason: str) -> OrpheusPolicy:
    """The policy that was decided for ``reason``; a reason nobody knows allows nothing."""
    return OrpheusPolicy(POLICIES.get(reason, False), reason)
